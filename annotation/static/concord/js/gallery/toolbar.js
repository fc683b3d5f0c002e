/**
 * Order, filter and size of the cells, remembered in this browser.
 * Decides which choices there are now; refuses to arrange anything: it tells what was chosen.
 */

import { el, find, number, replace, say } from "../dom.js";
import { filters, SORTS } from "./arranging.js";

const EDGES = [56, 72, 96, 128, 168, 224, 320];
const SCALE_PX = 60;
const WHY_NOT = "no features of these slides yet";

/** Events: "arrange" (order or filter changed), "size". */
export class Toolbar extends EventTarget {
  constructor(person) {
    super();
    this.name = `concord.gallery.view.${person}`;
    this.chosen = { sort: "slide", size: 3, looks: false, ...read(this.name) };
    this.filter = "all";
    this.sort = find("#sort");
    this.size = find("#size");
    this.size.value = this.chosen.size;
    this.sort.addEventListener("change", () => this.choose({ sort: this.sort.value }, "arrange"));
    this.size.addEventListener("input", () => this.choose({ size: Number(this.size.value) }, "size"));
    find("#filter").addEventListener("change", (event) => this.show(event.target.value));
  }

  get edge() { return EDGES[this.chosen.size] ?? EDGES[3]; }

  /** Keep a choice, and tell it. */
  choose(what, type = "") {
    Object.assign(this.chosen, what);
    try {
      localStorage.setItem(this.name, JSON.stringify(this.chosen));
    } catch {
      // Forbidden or full: the choice holds for this page.
    }
    if (type) this.dispatchEvent(new CustomEvent(type));
  }

  /** Show only the cells that fit. */
  show(filter) {
    this.filter = filter;
    this.dispatchEvent(new CustomEvent("arrange"));
  }

  resize(by) {
    this.choose({ size: Math.max(0, Math.min(EDGES.length - 1, this.chosen.size + by)) }, "size");
    this.size.value = this.chosen.size;
  }

  /** The next order that there is. */
  nextSort() {
    const there = [...this.sort.options].filter((option) => !option.disabled).map((option) => option.value);
    this.sort.value = there[(there.indexOf(this.sort.value) + 1) % there.length];
    this.choose({ sort: this.sort.value }, "arrange");
    say(`Order: ${SORTS[this.sort.value]}.`);
  }

  /** Which orders and filters there are for these cells; `ranks` has null for an order that can't be. */
  offer(ranks, cells, { unlike = 0, hasSuggestions = false } = {}) {
    const names = Object.keys(SORTS).filter((name) => hasSuggestions || name === "slide" || name === "similarity");
    replace(this.sort, names.map((name) => el("option", { value: name, disabled: !ranks[name] }, words(name, ranks[name], unlike))));
    this.sort.value = ranks[this.chosen.sort] ? this.chosen.sort : "slide";
    const choices = filters(cells);
    if (!choices.some((one) => one.value === this.filter)) this.filter = "all";
    replace(find("#filter"), choices.map((one) => el("option", { value: one.value }, one.label)));
    find("#filter").value = this.filter;
  }

  /** The scale that all cells share: `span` µm (or pixels) to a cell's edge. */
  showScale(span, hasScale) {
    const long = roundDown((SCALE_PX * span) / this.edge);
    replace(find("#scale"),
      el("span", { class: "bar", "aria-hidden": "true", style: { width: `${(long * this.edge) / span}px` } }),
      el("span", {}, el("span", { class: "visually-hidden", text: "Scale bar: " }), `${number(long, long < 1 ? 2 : 0)} ${hasScale ? "µm" : "px"}`),
      hasScale ? null : el("span", { class: "hint", text: "(a slide without pixel size is among these)" }));
  }
}

function words(name, rank, unlike) {
  if (rank && name === "similarity" && unlike) return `${SORTS[name]} (${number(unlike)} without features last)`;
  return rank || name !== "similarity" ? SORTS[name] : `${SORTS[name]} (${WHY_NOT})`;
}

function roundDown(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map((step) => step * power).find((step) => step <= value) ?? power;
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "{}");
  } catch {
    return {};
  }
}
