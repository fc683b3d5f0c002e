/**
 * Anchors of the ledger: where its heads were carried, a new one to be printed or kept, and the file to check it by.
 * Decides how an anchor is handed over; the line itself is the server's.
 */

import { get, post, url } from "../api.js";
import { el, moment, number, replace, say, toast } from "../dom.js";

export class Anchors {
  constructor(node) {
    this.node = node;
    this.taken = el("div", { class: "anchor-taken", role: "status" });
  }

  async load() {
    const { is_configured: isConfigured, head, results } = await get("ledger/anchors/");
    replace(this.node,
      el("p", { class: "hint", text: isConfigured
        ? "Heads are carried outside once a day, as the settings of this site say."
        : "No place is set to which heads are carried each day: whoever runs the site can name a file or addresses. Until then, take anchors by hand." }),
      head > 0 && el("div", { class: "buttons" },
        el("button", { type: "button", class: "primary", on: { click: () => this.#take() } }, "Take an anchor now"),
        el("a", { class: "button quiet", href: url("ledger/ledger.jsonl"), download: true }, "Download the ledger")),
      this.taken,
      results.length ? table(results) : el("p", { class: "empty", text: head ? "The head was never carried outside. Take an anchor, and keep it where the owner of the database can't reach it." : "Nothing has been written yet: there is nothing to anchor." }));
  }

  async #take() {
    try {
      const { line } = await post("ledger/anchors/");
      const file = URL.createObjectURL(new Blob([`${line}\n`], { type: "text/plain" }));
      const card = el("div", { class: "note good anchor-line" }, el("p", { text: "Keep this line outside: print it, mail it, store it elsewhere." }), el("code", { text: line }),
        el("div", { class: "buttons" }, el("button", { type: "button", class: "small", on: { click: () => window.print() } }, "Print it"),
          el("a", { class: "button small quiet", href: file, download: "anchor.txt" }, "Download it")));
      await this.load();
      replace(this.taken, card);
      say("The anchor stands below.");
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }
}

function table(rows) {
  return el("table", { id: "anchor-list" }, el("caption", { text: "Where heads were carried" }),
    el("thead", {}, el("tr", {}, ["Entry", "Digest", "Place", "When"].map((text) => el("th", { scope: "col", text })))),
    el("tbody", {}, rows.map((row) => el("tr", {}, el("th", { scope: "row", class: "number", text: number(row.position) }),
      el("td", {}, el("code", { title: row.digest, text: `${row.digest.slice(0, 16)}…` })), el("td", { text: row.place }), el("td", { text: moment(row.created_at) })))));
}
