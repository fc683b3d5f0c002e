/**
 * Two revisions of a region side by side, as a table: what differs is said in words, not by colour alone.
 * Decides what is compared; refuses to know how a revision came about.
 */

import { label } from "../classes.js";
import { el, percent, replace } from "../dom.js";
import { when } from "./moments.js";

const ROWS = [
  ["State", (one) => (one.is_excluded ? "left out" : one.is_settled ? "settled" : "open")],
  ["Class", (one) => one.label],
  ["Confidence", (one) => (one.confidence === null ? "" : percent(one.confidence))],
  ["Source", (one) => one.source],
  ["Answers it rests on", (one) => String(one.answers)],
  ["Protocol", (one) => `version ${one.protocol}`],
  ["By", (one) => one.actor ?? ""],
  ["Reason", (one) => one.reason],
  ["When", (one) => when(one.created_at)],
];

export class Comparison {
  constructor() {
    this.revisions = [];
    this.selects = ["Before", "After"].map((name) => el("select", { id: `compare-${name.toLowerCase()}`, on: { change: () => this.#draw() } }));
    this.body = el("div", {});
    this.element = el("section", { class: "comparison", "aria-labelledby": "compare-title", hidden: true },
      el("h2", { id: "compare-title", text: "Compare two revisions" }),
      el("div", { class: "pair" }, this.selects.flatMap((select, place) => [
        el("label", { for: select.id, text: ["Before", "After"][place] }), select,
      ])),
      this.body);
  }

  /** Take the revisions; the last two are compared where they are new. */
  show(revisions) {
    const isNew = revisions.length !== this.revisions.length;
    this.revisions = revisions;
    this.element.hidden = revisions.length < 2;
    if (!isNew) return;
    this.selects.forEach((select, place) => {
      replace(select, revisions.map((one) => el("option", { value: one.number, text: `Revision ${one.number}: ${one.source}` })));
      select.value = revisions.at(place - 2)?.number ?? "";
    });
    this.#draw();
  }

  #draw() {
    const [before, after] = this.selects.map((select) => this.revisions.find((one) => String(one.number) === select.value));
    if (!before || !after) return;
    replace(this.body, el("table", {},
      el("thead", {}, el("tr", {}, ["", `Revision ${before.number}`, `Revision ${after.number}`, ""].map((text, place) => (
        text ? el("th", { scope: "col", text }) : el("td", {}, el("span", { class: "visually-hidden", text: place ? "Differs" : "What" })))))),
      el("tbody", {}, ROWS.map(([name, read]) => row(name, read(before), read(after))), chances(before, after))));
  }
}

function row(name, before, after) {
  const shown = (text) => (name === "Class" && text ? label(text) : text || "–");
  return el("tr", { class: before === after ? "" : "differs" },
    el("th", { scope: "row", text: name }), el("td", {}, shown(before)), el("td", {}, shown(after)),
    el("td", {}, before !== after && el("span", { class: "badge warn", text: "differs" })));
}

/** A line for each class that was worth a thought in either. */
function chances(before, after) {
  const codes = [...new Set([...Object.keys(before.posterior), ...Object.keys(after.posterior)])];
  const worth = codes.filter((code) => Math.max(before.posterior[code] ?? 0, after.posterior[code] ?? 0) >= 0.02);
  return worth.map((code) => {
    const [one, other] = [before, after].map(({ posterior }) => (code in posterior ? percent(posterior[code]) : "–"));
    return el("tr", { class: one === other ? "" : "differs" },
      el("th", { scope: "row" }, "Posterior of ", label(code)), el("td", { text: one }), el("td", { text: other }),
      el("td", {}, one !== other && el("span", { class: "badge warn", text: "differs" })));
  });
}
