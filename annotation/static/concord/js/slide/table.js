/**
 * The regions of a slide as a table, page by page: what the picture shows, for those who do not see it.
 * Decides order and paging; refuses to know how regions are filtered or drawn.
 */

import { label as classLabel } from "../classes.js";
import { el, find, number, replace } from "../dom.js";

const PAGE = 25;
const ORDERS = {
  "": () => 0,
  uncertainty: (columns) => (a, b) => (columns.percent ? columns.percent[b] - columns.percent[a] : 0),
  answers: (columns) => (a, b) => columns.load[b] - columns.load[a],
};

export class RegionTable {
  constructor({ address, onShow }) {
    Object.assign(this, { address, onShow, first: 0, indices: [] });
    this.table = find("#rows");
    this.before = find("#rows-before");
    this.after = find("#rows-after");
    this.before.addEventListener("click", () => this.turn(-1));
    this.after.addEventListener("click", () => this.turn(1));
  }

  /** Show these columns where `shown` is 1, in the named order, from the first page. */
  fill(columns, shown, order) {
    this.columns = columns;
    this.indices = Array.from({ length: columns.count }, (_, index) => index).filter((index) => shown[index]);
    if (order in ORDERS && order) this.indices.sort(ORDERS[order](columns));
    this.first = 0;
    this.draw();
  }

  turn(by) {
    this.first = Math.max(0, this.first + by * PAGE);
    this.draw();
    // A button that can do no more would lose the focus.
    const [turned, other] = by < 0 ? [this.before, this.after] : [this.after, this.before];
    if (turned.disabled) other.focus();
  }

  draw() {
    const total = this.indices.length;
    const last = Math.min(total, this.first + PAGE);
    const rows = this.indices.slice(this.first, last).map((index) => this.#row(index));
    const none = el("tr", {}, el("td", { colspan: 8 }, this.columns.count ? "No region fits this filter: choose “all” above." : "This slide has no regions."));
    replace(find("tbody", this.table), rows.length ? rows : none);
    find("#range").textContent = total ? `${number(this.first + 1)}–${number(last)} of ${number(total)}` : "none";
    this.before.disabled = this.first === 0;
    this.after.disabled = last >= total;
    this.table.removeAttribute("aria-busy");
  }

  #row(index) {
    const { columns } = this;
    const name = `Region ${number(index + 1)}`;
    const [label, guess] = [columns.label(index), columns.guess(index)];
    return el("tr", { dataset: { index } },
      el("th", { scope: "row" }, el("a", { href: this.address(index) }, name)),
      el("td", { text: columns.state(index) }),
      el("td", {}, label ? classLabel(label) : "–"),
      el("td", { class: "number", text: columns.percent ? `${columns.percent[index]} %` : "–" }),
      el("td", {}, guess ? classLabel(guess) : "–"),
      el("td", { class: "number", text: columns.load[index] }),
      el("td", { text: columns.by(index).join(", ") || "–" }),
      el("td", {}, el("button", { type: "button", class: "small", "aria-label": `Show ${name} in the picture`, on: { click: () => this.onShow(index) } }, "Show")));
  }
}
