/**
 * The cell in focus, four times as wide, with its frame and a scale: opened and closed by one key.
 * Decides how it is drawn; refuses to know which cell is next: it is told.
 */

import { el, number, replace } from "../dom.js";

const TIMES = 4;
const EDGE = 768;
const BAR_SHARE = 0.3;

export class Surroundings {
  #cell = null;

  constructor(element, { isOpen = false } = {}) {
    this.element = element;
    element.hidden = !isOpen;
  }

  get isOpen() { return !this.element.hidden; }

  toggle() {
    this.element.hidden = this.isOpen;
    this.#draw();
    return this.isOpen;
  }

  /** This cell is in focus, at this place of the grid. */
  show(cell, place) {
    this.place = place;
    if (cell === this.#cell) return;
    this.#cell = cell;
    this.#draw();
  }

  #draw() {
    if (!this.isOpen || !this.#cell) return;
    const { region } = this.#cell;
    const size = `${TIMES} times as wide and high as cell ${this.place}`;
    replace(this.element,
      el("div", { class: "surroundings-picture" },
        el("img", { src: `${region.image}?edge=${EDGE}&context=${TIMES}`, alt: `The surroundings, ${size}`, decoding: "async" }),
        el("span", { class: "surroundings-frame", "aria-hidden": "true" }),
        el("span", { class: "surroundings-scale", style: { width: bar(region).share } }, bar(region).words)),
      el("figcaption", { class: "hint", text: `${size}; the frame is the cell.` }));
  }
}

/** A round length that fits under the picture. */
function bar(region) {
  const wide = region.width * TIMES * (region.um_per_px ?? 1);
  const power = 10 ** Math.floor(Math.log10(wide * BAR_SHARE));
  const long = [5, 2, 1].map((step) => step * power).find((step) => step <= wide * BAR_SHARE) ?? power;
  return { share: `${(100 * long) / wide}%`, words: `${number(long, long < 1 ? 2 : 0)} ${region.um_per_px ? "µm" : "px"}` };
}
