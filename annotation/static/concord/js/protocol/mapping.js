/**
 * What becomes of each class of the version in force: a choice, where it goes, and how much hangs on it.
 * Decides how mappings follow while the list of classes is edited; what holds together is decided by the server.
 */

import { label } from "../classes.js";
import { count, el, find, replace } from "../dom.js";

const CHOICES = {
  same: "stays the same",
  onto: "goes on as (renamed or merged)",
  redefined: "has a new definition: ask again",
  split: "is split: ask again",
  retired: "ends here",
};
const SEVERAL = "split";

/** Which choice a kind is shown as. */
const choiceOf = (kind) => (kind === "renamed" || kind === "merged" ? "onto" : kind);

export class Mapping {
  /** `before`: classes in force. `onChange` hears of each choice that a person makes. */
  constructor(element, { before, mappings, onChange }) {
    Object.assign(this, { element, before, onChange, classes: [], counts: new Map() });
    this.plans = mappings.map((one) => ({ source: one.source, choice: choiceOf(one.kind), targets: one.targets, isConfirmed: one.kind === "same" }));
  }

  /** The mappings as the server wants them: what shares its one target with another exact one is merged. */
  get value() {
    const isExact = ({ choice, targets }) => ["same", "onto"].includes(choice) || (choice === "retired" && targets.length);
    const shares = (plan) => this.plans.filter((one) => isExact(one) && one.targets[0] === plan.targets[0]).length > 1;
    return this.plans.map((plan) => {
      const kind = plan.choice !== "onto" ? plan.choice : shares(plan) ? "merged" : plan.targets[0] === plan.source ? "same" : "renamed";
      return { source: plan.source, kind, targets: plan.targets };
    });
  }

  /** The list of classes was edited: codes that changed are followed, those that went are let go. */
  follow(classes) {
    const codes = classes.map((one) => one.code);
    const earlier = this.classes.map((one) => one.code);
    const moved = codes.length === earlier.length ? codes.map((code, at) => [earlier[at], code]).filter(([one, other]) => one !== other) : [];
    const renamed = moved.length === 1 && !codes.includes(moved[0][0]) && !earlier.includes(moved[0][1]) ? moved[0] : null;
    this.classes = classes;
    for (const plan of this.plans) {
      if (renamed) plan.targets = plan.targets.map((code) => (code === renamed[0] ? renamed[1] : code));
      plan.targets = plan.targets.filter((code) => codes.includes(code));
      settle(plan, { words: this.before.find((one) => one.code === plan.source), now: classes.find((one) => one.code === plan.source) });
    }
    this.draw();
  }

  /** How much hangs on each class: [{source, truths, answers, is_exact}]. */
  show(counts) {
    this.counts = new Map(counts.map((one) => [one.source, one]));
    for (const plan of this.plans) this.#showCount(plan);
  }

  draw() {
    const focused = document.activeElement?.id;
    replace(find("tbody", this.element), this.plans.map((plan) => this.#row(plan)));
    if (focused) document.getElementById(focused)?.focus();
  }

  #row(plan) {
    const cls = this.before.find((one) => one.code === plan.source);
    const id = `becomes-${plan.source}`;
    const isHere = this.classes.some((one) => one.code === plan.source);
    const select = el("select", { id, "aria-label": `What becomes of ${cls.name}` },
      Object.entries(CHOICES).filter(([value]) => value !== "same" || isHere).map(([value, text]) => el("option", { value, text, selected: value === plan.choice })));
    select.addEventListener("change", () => this.#choose(plan, select.value));
    const row = el("tr", { dataset: { source: plan.source } },
      el("th", { scope: "row" }, label(plan.source)), el("td", {}, select), el("td", {}, this.#targets(plan, cls)),
      el("td", { class: "number counts" }), el("td", { class: "outcome" }));
    requestAnimationFrame(() => this.#showCount(plan));
    return row;
  }

  #targets(plan, cls) {
    if (plan.choice === "same") return el("span", { class: "hint", text: "answers hold" });
    if (plan.choice === SEVERAL) {
      return el("fieldset", { class: "targets" }, el("legend", { class: "visually-hidden", text: `${cls.name} is split into` }),
        this.classes.map((one) => {
          const box = el("input", { type: "checkbox", id: `into-${plan.source}-${one.code}`, checked: plan.targets.includes(one.code) });
          box.addEventListener("change", () => this.#aim(plan, box.checked ? [...plan.targets, one.code] : plan.targets.filter((code) => code !== one.code)));
          return el("div", { class: "field checkbox" }, box, el("label", { for: box.id, text: one.name }));
        }));
    }
    const none = plan.choice === "retired" ? "no class: ask again" : "choose a class";
    const select = el("select", { id: `to-${plan.source}`, "aria-label": `Where ${cls.name} goes` },
      el("option", { value: "", text: none }),
      this.classes.filter((one) => plan.choice === "redefined" || one.code !== plan.source).map((one) => el("option", { value: one.code, text: one.name, selected: plan.targets[0] === one.code })));
    select.addEventListener("change", () => this.#aim(plan, select.value ? [select.value] : []));
    return select;
  }

  #choose(plan, choice) {
    const isHere = this.classes.some((one) => one.code === plan.source);
    const others = plan.targets.filter((code) => code !== plan.source);
    plan.choice = choice;
    plan.isConfirmed = choice === "same";
    if (choice === "same") plan.targets = [plan.source];
    else if (choice === "redefined") plan.targets = isHere ? [plan.source] : plan.targets.slice(0, 1);
    else if (choice === "onto" || choice === "retired") plan.targets = others.slice(0, 1);
    this.draw();
    this.onChange();
  }

  #aim(plan, targets) {
    plan.targets = targets;
    this.onChange();
  }

  #showCount(plan) {
    const row = find(`tr[data-source="${CSS.escape(plan.source)}"]`, this.element);
    const found = this.counts.get(plan.source);
    if (!row || !found) return;
    find(".counts", row).textContent = `${count(found.truths, "truth")}, ${count(found.answers, "answer")}`;
    const most = Math.max(1, ...[...this.counts.values()].map((one) => one.truths));
    replace(find(".outcome", row),
      el("span", { class: `impact-bar ${found.is_exact ? "holds" : "again"}`, "aria-hidden": "true", style: { "--share": `${(100 * found.truths) / most}%` } }),
      el("span", { class: `badge ${found.is_exact ? "good" : "warn"}`, text: found.is_exact ? "holds" : "seen again" }));
  }
}

/** Keep a choice true after classes came, went or got other words. */
function settle(plan, { words, now }) {
  if (plan.choice === "same" && !now) plan.choice = plan.targets.length ? "onto" : "retired";
  if (plan.choice === "onto" && plan.targets[0] === plan.source) plan.choice = "same";
  if (plan.choice === "onto" && !plan.targets.length) plan.choice = "retired";
  if (plan.choice === "redefined" && !plan.targets.length) plan.choice = "retired";
  if (plan.choice === SEVERAL && plan.targets.length === 0 && !now) plan.choice = "retired";
  const differs = now && now.definition.trim() !== words.definition.trim();
  // Other words under the same code are another question, unless somebody says that only the words changed.
  if (plan.choice === "same" && differs && !plan.isConfirmed) plan.choice = "redefined";
  if (plan.choice === "same") plan.isConfirmed = plan.isConfirmed && differs;
}
