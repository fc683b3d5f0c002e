/**
 * The policy: the values that matter most with their consequences in plain words, the others folded.
 * Decides how a value is shown and sent; limits, defaults and consequences are the server's.
 */

import { get } from "../api.js";
import { boot, count, el, number, replace, say } from "../dom.js";
import { complain, field } from "./fields.js";
import { section as gold } from "./gold.js";
import { later } from "./saving.js";

export async function draw(body, page) {
  const means = el("section", { class: "consequences", "aria-labelledby": "means-title", "aria-live": "polite" });
  const waiting = new Map();
  const save = later(async () => {
    const sent = new Map(waiting);
    waiting.clear();
    const values = Object.fromEntries([...sent].map(([key, { one, input }]) => [key, read(one, input)]));
    try {
      await page.save("policy", { values });
      sent.forEach(({ input }) => complain(input, ""));
      await showMeaning();
    } catch (error) {
      sent.forEach(({ input }) => complain(input, error.message));
    }
  });
  const inputs = boot().policy.map((one) => {
    const input = control(one, page.state.policy[one.key] ?? one.default);
    input.addEventListener(input.type === "checkbox" || input.tagName === "SELECT" ? "change" : "input", () => { waiting.set(one.key, { one, input }); save(); });
    return [one, field(one.unit ? `${one.label} (${one.unit})` : one.label, input, { hint: [one.hint, standard(one)].filter(Boolean).join(" ") })];
  });
  const seconds = el("input", { id: "policy-seconds", type: "number", min: "0.5", step: "0.5", value: page.state.checklist[boot().seconds] ?? "" });
  const saveSeconds = later(async () => {
    try {
      await page.save("checklist", { answers: { [boot().seconds]: seconds.value } });
      complain(seconds, "");
      await showMeaning();
    } catch (error) {
      complain(seconds, error.message);
    }
  });
  seconds.addEventListener("input", saveSeconds);
  body.append(el("div", { class: "policy" },
    el("div", { class: "policy-main" },
      inputs.filter(([one]) => one.main).map(([, node]) => node),
      field("Seconds for one answer", seconds, { hint: "Your expectation, for the plan alone. A cell at a glance takes 3 to 6, a region to search 20 and more." })),
    means),
  el("details", { id: "advanced" }, el("summary", {}, "Advanced: the defaults suit most studies"),
    el("div", { class: "policy-more" }, inputs.filter(([one]) => !one.main).map(([, node]) => node))), gold());
  await showMeaning();

  async function showMeaning() {
    const plan = await get("setup/plan/");
    const sums = [
      `${count(plan.regions, "region")}${plan.regions_counted ? "" : " (estimate)"}, ${range(plan.answers)} answers if all are labelled.`,
      plan.hours && `${range(plan.hours, 1)} hours of work${plan.hours_each ? `; ${range(plan.hours_each, 1)} for each of ${count(plan.people, "person", "people")}` : ""}.`,
    ];
    replace(means, el("h3", { id: "means-title", text: "What this means" }), el("p", { class: "sums" }, sums.filter(Boolean).map((text) => el("strong", { text }))),
      el("ul", {}, plan.consequences.map((text) => el("li", { text }))));
    say(sums.filter(Boolean).join(" "));
  }

  return async () => { await save.flush(); await saveSeconds.flush(); };
}

function control(one, value) {
  const id = `policy-${one.key}`;
  if (one.kind === "bool") return el("input", { id, type: "checkbox", checked: value });
  if (one.kind === "choice") {
    // What is stored is shown even where it is no longer offered; of the pin of an encoder its beginning is enough.
    const names = [...new Set([...one.choices, value])];
    return el("select", { id }, names.map((name) => el("option", { value: name, selected: name === value }, name.replace(/@(.{8}).+$/, "@$1…"))));
  }
  if (one.kind === "text") return el("input", { id, value });
  const shown = one.unit === "%" ? Number((value * 100).toFixed(6)) : value;
  return el("input", { id, type: "number", min: "0", step: one.kind === "int" ? "1" : "any", value: shown });
}

function read(one, input) {
  let value = input.value;
  if (one.kind === "bool") value = input.checked;
  else if (one.kind === "int" || one.kind === "float") {
    value = input.value === "" ? null : Number(input.value);
    if (value !== null && one.unit === "%") value = Number((value / 100).toFixed(8));
  }
  return value === one.default ? null : value;
}

function standard(one) {
  if (one.kind === "bool" || one.kind === "choice" || one.kind === "text") return "";
  return `Usual: ${one.unit === "%" ? number(one.default * 100, 2) : number(one.default, 2)}.`;
}

/** [2, 5] -> "2 to 5"; [2, 2] -> "2". */
export function range([low, high], digits = 0) {
  return low === high ? number(low, digits) : `${number(low, digits)} to ${number(high, digits)}`;
}
