/**
 * Two moments of a study side by side, and what became of which regions between them.
 * Decides how moments are chosen (by entry, or by time); what stood then, the server says.
 */

import { get, url } from "../api.js";
import { byCode, label } from "../classes.js";
import { boot, count, el, moment, number, replace, say, toast } from "../dom.js";

const PAGE = 24;
const KINDS = {
  relabelled: "got another class", reopened: "open again", excluded: "left out", settled: "settled",
  changed: "changed", withdrawn: "taken back or set aside", added: "added",
};

export class Moments {
  #since = null;
  #until = null;

  constructor(node) {
    this.node = node;
    this.said = el("div", { class: "difference" });
  }

  async load() {
    const { head } = await get("ledger/");
    if (!head) {
      replace(this.node, el("p", { class: "empty", text: "There is no moment to look at yet: nothing has been written." }));
      return;
    }
    const entry = (id, value) => el("input", { type: "number", id, min: 0, max: head, value, required: true });
    this.#since = entry("since", Math.max(head - 1, 0));
    this.#until = entry("until", head);
    // What was compared before no longer fits the entries that are proposed now.
    replace(this.said);
    const time = el("input", { type: "datetime-local", id: "moment-time", step: 1 });
    replace(this.node,
      el("form", { class: "filters", on: { submit: (event) => { event.preventDefault(); this.#compare(); } } },
        field("From entry", this.#since), field("to entry", this.#until), field("For", this.#people()),
        el("button", { type: "submit", class: "primary" }, "Compare")),
      el("form", { class: "filters", on: { submit: (event) => { event.preventDefault(); this.#find(time.value); } } },
        field("The entry of a time (UTC)", time), el("button", { type: "submit" }, "Take it as the first")),
      this.said);
  }

  /** Compare these two entries now. */
  async pick(since, until) {
    this.#since.value = since;
    this.#until.value = until;
    this.node.scrollIntoView({ block: "start" });
    await this.#compare();
    this.#since.focus();
  }

  #people() {
    const all = boot().people.filter((one) => one.role !== "manager");
    this.person = el("select", { id: "moment-person" }, el("option", { value: "", text: "the truth of all regions" }),
      all.map((one) => el("option", { value: one.id, text: `answers of ${one.id} · ${one.name}` })));
    return this.person;
  }

  async #find(time) {
    if (!time) return;
    try {
      const { position } = await get(`ledger/standing/?at=${encodeURIComponent(`${time}Z`)}`);
      this.#since.value = position;
      say(`At that time the ledger stood at entry ${position}.`);
      await this.#compare();
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }

  async #compare() {
    const person = this.person.value ? { person: this.person.value } : {};
    const ends = [this.#since.value, this.#until.value];
    this.said.setAttribute("aria-busy", "true");
    try {
      const [before, after, found] = await Promise.all([
        ...ends.map((position) => get(`ledger/standing/?${new URLSearchParams({ position, ...person })}`)),
        get(`ledger/changes/?${new URLSearchParams({ since: ends[0], until: ends[1], size: 1, ...person })}`),
      ]);
      const place = el("div", { class: "change-list" });
      replace(this.said, counts(before, after), this.#kinds(found, place, { since: ends[0], until: ends[1], ...person }), place);
      say(`${count(total(found), person.person ? "answer" : "region")} differ.`);
    } catch (error) {
      replace(this.said, el("p", { class: "note bad", text: error.message }));
    } finally {
      this.said.removeAttribute("aria-busy");
    }
  }

  #kinds(found, place, query) {
    if (!total(found)) return el("p", { class: "empty", text: "Nothing differs between these two moments." });
    return el("div", { class: "buttons" }, Object.entries(found.counts).map(([kind, many]) => el("button", {
      type: "button", class: "small", dataset: { kind }, on: { click: () => list(place, { ...query, kind }, 0) },
    }, `${KINDS[kind]}: ${number(many)}`)));
  }
}

const total = (found) => Object.values(found.counts).reduce((sum, many) => sum + many, 0);
const field = (text, input) => el("div", { class: "field" }, el("label", { for: input.id, text }), input);

function counts(before, after) {
  const key = (one) => `${one.state} ${one.label}`;
  const rows = new Map([...before.counts, ...after.counts].map((one) => [key(one), one]));
  const of = (side, one) => side.counts.find((other) => key(other) === key(one))?.regions ?? 0;
  const head = ({ position, at }) => `Entry ${number(position)}${at ? `, ${moment(at)}` : ""}`;
  return el("table", { class: "standing" }, el("caption", { text: "What stood" }),
    el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "State" }), el("th", { scope: "col", text: "Class" }), [before, after].map((side) => el("th", { scope: "col", class: "number", text: head(side) })))),
    el("tbody", {}, rows.size ? [...rows.values()].map((one) => el("tr", {}, el("th", { scope: "row", text: one.state }), el("td", {}, one.label ? label(byCode(one.label)) : "–"),
      [before, after].map((side) => el("td", { class: "number", text: number(of(side, one)) })))) : el("tr", {}, el("td", { colspan: 4, text: "Nothing had been decided." }))));
}

async function list(place, query, start) {
  const found = await get(`ledger/changes/?${new URLSearchParams({ ...query, start, size: PAGE })}`);
  replace(place,
    el("ul", { class: "moment-cards" }, found.results.map(card)),
    el("p", { class: "pages" },
      start > 0 && el("button", { type: "button", class: "small", on: { click: () => list(place, query, Math.max(0, start - PAGE)) } }, "Previous page"),
      found.next !== null && el("button", { type: "button", class: "small", on: { click: () => list(place, query, found.next) } }, "Next page")));
  say(`${KINDS[query.kind]}: ${number(found.counts[query.kind])}`);
}

function card(change) {
  const side = (code, state) => (code ? label(byCode(code)) : el("span", { class: "hint", text: state || "nothing yet" }));
  return el("li", {},
    el("img", { src: url(`regions/${change.region}/thumbnail.jpg`), alt: "", width: 64, height: 64, loading: "lazy" }),
    el("div", {}, el("a", { href: `${boot().screens}regions/${change.region}/`, text: change.region }),
      el("p", {}, side(change.label_before, change.split_before), " → ", side(change.label_after, change.split_after))));
}
