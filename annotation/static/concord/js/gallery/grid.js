/**
 * The grid of cells: nodes, focus that roves, selection by keyboard and mouse.
 * Decides where the focus goes and what is selected; refuses to know what a label means or where it is sent.
 * A list box: a screen reader reads each cell's name and whether it is selected; columns come from the width.
 */

import { byCode, swatch } from "../classes.js";
import { el, replace } from "../dom.js";
import { describe, OPEN } from "./cell.js";

const GAP_PX = 8;
const FOOT_PX = 26;
const PICTURE_STEP = 64;
const LARGEST_PICTURE = 1024;
/** A region may be this many times as long as the middle one before it is cut at the edges of its cell. */
const LONGEST = 2;

export class Grid extends EventTarget {
  #nodes = new Map();
  #shown = [];
  #focus = null;
  #anchor = null;
  #selected = new Set();

  constructor(element) {
    super();
    this.element = element;
    element.addEventListener("click", (event) => this.#click(event));
    element.addEventListener("dblclick", () => this.dispatchEvent(new CustomEvent("look")));
    element.addEventListener("focusin", (event) => {
      const cell = this.#cellOf(event.target);
      if (cell && cell !== this.#focus) this.#moveTo(cell);
    });
  }

  get shown() { return this.#shown; }
  get focused() { return this.#focus; }
  get selected() { return this.#shown.filter((cell) => this.#selected.has(cell)); }

  /** What a key acts on: the selection, else the cell in focus. */
  get targets() {
    const chosen = this.selected;
    return chosen.length ? chosen : this.#focus ? [this.#focus] : [];
  }

  get hasFocus() { return this.element.contains(document.activeElement); }

  /** Show these cells in this order; focus and selection stay where they can. */
  show(cells) {
    const hadFocus = this.hasFocus;
    const place = Math.max(0, this.#shown.indexOf(this.#focus));
    this.#shown = cells;
    const wanted = new Set(cells);
    for (const cell of this.#nodes.keys()) if (!wanted.has(cell)) this.#nodes.delete(cell);
    for (const cell of this.#selected) if (!wanted.has(cell)) this.#selected.delete(cell);
    replace(this.element, cells.map((cell) => this.#node(cell)));
    cells.forEach((cell) => this.update(cell));
    if (!wanted.has(this.#focus)) this.#focus = null;
    if (cells.length) this.#moveTo(this.#focus ?? cells[Math.min(place, cells.length - 1)], { grab: hadFocus });
    else this.#moveTo(null);
  }

  /** Draw what has changed about a cell. */
  update(cell) {
    const node = this.#nodes.get(cell);
    const number = this.#shown.indexOf(cell) + 1;
    if (!node || !number) return;
    node.querySelector(".cell-words").textContent = describe(cell, number);
    node.setAttribute("aria-selected", String(this.#selected.has(cell)));
    node.setAttribute("aria-posinset", number);
    node.setAttribute("aria-setsize", this.#shown.length);
    node.dataset.state = cell.state;
    node.dataset.label = cell.label;
    replace(node.lastElementChild, foot(cell));
  }

  /** Cells of this edge, in screen pixels; every region at the same pixels per µm. */
  resize(edge) {
    this.edge = edge;
    this.element.style.setProperty("--edge", `${edge}px`);
    for (const [cell, node] of this.#nodes) this.#picture(cell, node);
  }

  /** Lay down what one screen pixel is: the middle region fills a cell. Returns µm (or pixels) for a cell's edge. */
  scaleTo(regions) {
    this.hasScale = regions.every((region) => region.um_per_px);
    const lengths = regions.map((region) => length(region, this.hasScale)).sort((one, other) => one - other);
    const middle = lengths[Math.floor(lengths.length / 2)] ?? 1;
    this.span = Math.min(lengths.at(-1) ?? 1, middle * LONGEST);
    return this.span;
  }

  /** Move the focus by cells; `extend` selects on the way. */
  step(by, { extend = false } = {}) {
    this.#go(this.#shown.indexOf(this.#focus) + by, extend);
  }

  /** Move by rows, whole screens, or to an end. */
  rows(by, options) { this.step(by * this.#columns(), options); }
  screens(by, options) { this.rows(by * Math.max(1, Math.floor(innerHeight / (this.edge + FOOT_PX + GAP_PX)) - 1), options); }
  toEnd(last, { extend = false } = {}) { this.#go(last ? this.#shown.length - 1 : 0, extend); }

  /** Go to a cell, with the keyboard's focus. */
  goTo(cell) { if (this.#shown.includes(cell)) this.#moveTo(cell, { grab: true }); }

  /** Select the cell in focus, or let it go. */
  toggle() {
    if (!this.#focus) return;
    if (!this.#selected.delete(this.#focus)) this.#selected.add(this.#focus);
    this.#anchor = this.#focus;
    this.#told([this.#focus]);
  }

  selectAll() { this.#select(this.#shown); }
  clearSelection() { this.#select([]); }

  #select(cells) {
    const changed = new Set([...this.#selected, ...cells]);
    this.#selected = new Set(cells);
    this.#told(changed);
  }

  #told(cells) {
    for (const cell of cells) this.#nodes.get(cell)?.setAttribute("aria-selected", String(this.#selected.has(cell)));
    this.dispatchEvent(new CustomEvent("select"));
  }

  #go(place, extend) {
    const target = this.#shown[Math.max(0, Math.min(this.#shown.length - 1, place))];
    if (!target) return;
    if (extend) {
      this.#anchor ??= this.#focus;
      const [from, to] = [this.#shown.indexOf(this.#anchor), this.#shown.indexOf(target)].sort((one, other) => one - other);
      this.#select(this.#shown.slice(from, to + 1));
    } else {
      this.#anchor = null;
    }
    this.#moveTo(target, { grab: true });
  }

  #moveTo(cell, { grab = false } = {}) {
    this.#nodes.get(this.#focus)?.setAttribute("tabindex", "-1");
    this.#focus = cell;
    const node = this.#nodes.get(cell);
    node?.setAttribute("tabindex", "0");
    if (grab && node) {
      node.focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest" });
    }
    this.dispatchEvent(new CustomEvent("focus", { detail: cell }));
  }

  #click(event) {
    const cell = this.#cellOf(event.target);
    if (!cell) return;
    const place = this.#shown.indexOf(cell);
    if (event.shiftKey) this.#go(place, true);
    else {
      this.#moveTo(cell, { grab: true });
      if (event.ctrlKey || event.metaKey) this.toggle();
      else if (this.#selected.size) this.clearSelection();
    }
  }

  #cellOf(target) {
    const node = target.closest?.("[role=option]");
    return node ? this.#shown.find((cell) => this.#nodes.get(cell) === node) : null;
  }

  #columns() {
    return getComputedStyle(this.element).gridTemplateColumns.split(" ").length;
  }

  #node(cell) {
    let node = this.#nodes.get(cell);
    if (!node) {
      const image = el("img", { alt: "", loading: "lazy", decoding: "async", draggable: "false" });
      image.addEventListener("error", () => node.classList.add("no-picture"));
      node = el("div", { role: "option", class: "cell", tabindex: "-1", dataset: { region: cell.region.id } }, 
        el("span", { class: "cell-words visually-hidden" }), el("span", { class: "cell-picture" }, image), el("span", { class: "cell-foot", "aria-hidden": "true" }));
      this.#nodes.set(cell, node);
      this.#picture(cell, node);
    }
    return node;
  }

  #picture(cell, node) {
    const { region } = cell;
    const image = node.querySelector("img");
    const perUnit = this.edge / this.span;
    const unit = this.hasScale ? region.um_per_px : 1;
    const [wide, high] = [region.width * unit * perUnit, region.height * unit * perUnit];
    image.style.width = `${wide}px`;
    image.style.height = `${high}px`;
    const sharp = Math.ceil((Math.max(wide, high) * devicePixelRatio) / PICTURE_STEP) * PICTURE_STEP;
    const edge = Math.max(16, Math.min(sharp, region.width > region.height ? region.width : region.height, LARGEST_PICTURE));
    const source = `${region.image}?edge=${edge}`;
    if (image.getAttribute("src") !== source) image.setAttribute("src", source);
  }
}

function length(region, hasScale) {
  return Math.max(region.width, region.height) * (hasScale ? region.um_per_px : 1);
}

function foot(cell) {
  const marks = [cell.note && "↩", cell.flagged && "⚑", cell.comment && "✎", MARKS[cell.state]].filter(Boolean).join(" ");
  const shown = cell.label || cell.suggestion;
  return [
    shown ? el("span", { class: cell.label ? "cell-class" : "cell-class suggested" }, swatch(shown), el("span", { class: "cell-name", text: cell.label ? byCode(cell.label).name : `${byCode(cell.suggestion).name}?` })) : null,
    marks ? el("span", { class: "cell-marks", text: marks }) : null,
  ];
}
const MARKS = { [OPEN]: "", waiting: "↑", sent: "✓", refused: "!" };
