/**
 * The entries of the ledger in words, a page at a time, each with what can be done about it.
 * Decides how an entry looks; whether it can go back, and what would happen, the server says.
 */

import { get, post } from "../api.js";
import { ask, boot, count, el, moment, number, replace, say, toast } from "../dom.js";

export class Entries {
  #answers = false;
  #rows = [];
  #page = null;

  constructor(node, { compare, onDone }) {
    Object.assign(this, { node, compare, onDone });
  }

  async load() {
    this.#page = await this.#read();
    this.#rows = this.#page.results;
    this.#draw();
  }

  #read(before = "") {
    const query = new URLSearchParams({ answers: this.#answers, ...(before && { before }) });
    return get(`ledger/?${query}`);
  }

  async #more() {
    const next = await this.#read(this.#page.next);
    this.#page = { ...this.#page, next: next.next };
    this.#rows.push(...next.results);
    this.#draw();
    say(`${count(next.results.length, "more entry", "more entries")}.`);
  }

  #draw() {
    const choice = el("input", { type: "checkbox", id: "with-answers", checked: this.#answers, on: { change: () => { this.#answers = choice.checked; this.load(); } } });
    const { head, days, next } = this.#page;
    if (!head) {
      replace(this.node, el("p", { class: "empty", text: "Nothing has been written yet. The first answer, decision or pass will be entry 1." }));
      return;
    }
    replace(this.node,
      dayTable(days),
      el("p", { class: "field checkbox" }, choice, el("label", { for: "with-answers", text: "Show single answers too" })),
      this.#rows.length
        ? el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Entries" }, el("table", { id: "ledger" },
          el("caption", { class: "visually-hidden", text: "Entries, newest first" }),
          el("thead", {}, el("tr", {}, ["Entry", "When", "What", "Reason", "Do"].map((text) => el("th", { scope: "col", text })))),
          el("tbody", {}, this.#rows.map((row) => this.#line(row)))))
        : el("p", { class: "empty", text: "Only single answers so far: tick the box to see them." }),
      next !== null && el("p", { class: "pages" }, el("button", { type: "button", class: "small", on: { click: () => this.#more() } }, "Older entries")));
  }

  #line(row) {
    const about = row.region
      ? el("a", { href: `${boot().screens}regions/${row.region}/?as_of=${encodeURIComponent(row.at)}`, text: row.region })
      : row.regions + row.answers > 1 && el("span", { class: "hint", text: [row.regions && count(row.regions, "revision"), row.answers && count(row.answers, "answer")].filter(Boolean).join(", ") });
    const button = (text, run) => el("button", { type: "button", class: "small quiet", on: { click: run } }, text, el("span", { class: "visually-hidden", text: `: entry ${row.position}` }));
    return el("tr", { dataset: { entry: row.position, kind: row.kind } },
      el("th", { scope: "row", class: "number", text: number(row.position) }),
      el("td", {}, el("time", { datetime: row.at, text: moment(row.at) })),
      el("td", {}, row.title, about && [" · ", about]),
      el("td", { class: "reason", text: row.reason }),
      el("td", { class: "acts" },
        button("What it changed", () => this.compare(row.position - 1, row.position)),
        row.is_reversible && button("Take this back…", () => this.#takeBack(row))));
  }

  async #takeBack(row) {
    const path = `ledger/${row.position}/take-back/`;
    try {
      const told = await post(path, { reason: "Preview.", dry_run: true });
      const given = await ask({
        title: `Take entry ${number(row.position)} back?`, confirm: "Take it back", body: preview(told),
        fields: [{ name: "reason", label: "Reason", type: "textarea", required: true, maxlength: 2000, hint: "Kept in the history for good: name nobody." }],
      });
      if (!given) return;
      const done = await post(path, given);
      toast(`Entry ${number(row.position)} was taken back by entry ${number(done.position)}.`, { kind: "good" });
      await this.onDone();
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }
}

function preview(told) {
  const lines = [
    told.restored && `${count(told.restored, "region")} go back to what stood before.`,
    told.reopened && `${count(told.reopened, "region")} are open again, and people are asked.`,
    told.answers && `${count(told.answers, "answer")} count again.`,
    told.counts.changed && `${count(told.counts.changed, "region")} were changed since and stay as they are.`,
    told.counts.stuck && `${count(told.counts.stuck, "region")} had a class that has no exact successor today, and stay.`,
    told.counts.same && `${count(told.counts.same, "region")} stand like that already.`,
  ];
  return el("div", {}, el("p", { text: "This writes one new entry; nothing of the history is altered, and it can be taken back in turn." }),
    el("ul", { class: "preview" }, lines.filter(Boolean).map((text) => el("li", { text }))));
}

function dayTable(days) {
  const words = (kinds) => Object.entries(kinds).map(([kind, many]) => `${number(many)} ${kind}`).join(", ");
  return el("details", { class: "days" }, el("summary", { text: "By day" }),
    el("table", {}, el("caption", { text: "Entries of the last days on which something was written (UTC)" }),
      el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "Day" }), el("th", { scope: "col", text: "Entries" }))),
      el("tbody", {}, days.map(({ day, kinds }) => el("tr", {}, el("th", { scope: "row", text: day }), el("td", { text: words(kinds) }))))));
}
