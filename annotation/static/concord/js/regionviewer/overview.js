/**
 * The small map in the corner: the surroundings, the region in them, and what of it is in view.
 * Decides nothing: it shows, and a click says where to look. The keys do the same, so readers of screens miss nothing.
 */

import { el } from "../dom.js";

export class Overview {
  constructor({ onPick }) {
    this.picture = el("img", { alt: "", draggable: "false", on: { load: () => { this.picture.hidden = false; } } });
    this.region = el("span", { class: "here" });
    this.view = el("span", { class: "seen" });
    this.element = el("div", { class: "region-map", "aria-hidden": "true", on: { click: (event) => this.#pick(event, onPick) } },
      this.picture, this.region, this.view);
  }

  /** Map of a region; `times` is how much wider than the region it is. */
  show(region, address, times) {
    this.times = times;
    this.high = region.height / region.width;
    this.element.style.aspectRatio = `${region.width} / ${region.height}`;
    this.picture.hidden = true;
    this.picture.src = address;
    place(this.region, { x: 0, y: 0, width: 1, height: this.high }, this);
  }

  /** Draw what is in view (in widths of the region). */
  frame(bounds) {
    if (!this.times) return;
    place(this.view, bounds, this);
  }

  #pick(event, onPick) {
    const box = this.element.getBoundingClientRect();
    const around = (this.times - 1) / 2;
    const x = ((event.clientX - box.left) / box.width) * this.times - around;
    const y = (((event.clientY - box.top) / box.height) * this.times - around) * this.high;
    onPick(x, y);
  }
}

function place(node, { x, y, width, height }, { times, high }) {
  const around = (times - 1) / 2;
  const percent = (value) => `${Math.min(100, Math.max(0, value * 100))}%`;
  const [left, top] = [(x + around) / times, (y / high + around) / times];
  const [right, bottom] = [(x + width + around) / times, ((y + height) / high + around) / times];
  node.style.left = percent(left);
  node.style.top = percent(top);
  node.style.right = percent(1 - right);
  node.style.bottom = percent(1 - bottom);
}
