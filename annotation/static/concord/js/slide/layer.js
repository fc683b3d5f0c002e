/**
 * A canvas over a slide with boxes painted by style, in step with the view.
 * Decides what is worth drawing: nothing off screen, a kept picture of all boxes while they are tiny, pattern and
 * letter once there is room. Refuses to know what a style means.
 */

import { ink } from "../colours.js";
import { fillOf } from "./patterns.js";

/** Below this many screen pixels a box is drawn from the kept picture of all of them. */
const TINY = 6;
const LETTER_FROM = 26;
const KEPT_EDGE = 2048;

export class Layer {
  #view = null;
  #kept = null;

  constructor(size) {
    this.size = size;
    this.canvas = Object.assign(document.createElement("canvas"), { className: "slide-layer" });
    this.canvas.setAttribute("aria-hidden", "true");
    this.brush = this.canvas.getContext("2d");
    this.boxes = null;
    this.styles = [];
    this.marked = -1;
    this.drawn = 0;
  }

  /** Paint `boxes`: `codes` says which of `styles` each has; `shown` is 0 for those that are left out. */
  paint({ boxes, styles, codes, shown = null }) {
    Object.assign(this, { boxes, styles });
    this.buckets = styles.map(() => []);
    for (let i = 0; i < boxes.count; i += 1) if (!shown || shown[i]) this.buckets[codes[i]].push(i);
    this.#kept = null;
    this.draw();
  }

  /** Mark one box (-1: none): where the person is. */
  mark(index) {
    this.marked = index;
    this.draw();
  }

  /** The view now: `left`, `top` are the canvas position of the slide's corner, `zoom` screen pixels per slide pixel. */
  look({ left, top, zoom, width, height }) {
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.#view = { left, top, zoom, width, height, ratio };
    this.draw();
  }

  draw() {
    if (!this.#view) return;
    const { left, top, zoom, width, height, ratio } = this.#view;
    this.brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.brush.clearRect(0, 0, width, height);
    this.drawn = 0;
    if (!this.boxes?.count) return;
    if (this.boxes.width[0] * zoom < TINY) {
      this.#kept ??= this.#keep();
      this.brush.drawImage(this.#kept, left, top, this.size.width * zoom, this.size.height * zoom);
      this.drawn = this.boxes.count;
    } else {
      this.#each((style, x, y, w, h) => this.#box(style, x, y, w, h));
    }
    this.#drawMark();
  }

  /** All boxes once, small: what a view from afar is drawn with. */
  #keep() {
    const { width, height } = this.size;
    const scale = Math.min(1, KEPT_EDGE / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const brush = canvas.getContext("2d");
    const { x, y, width: w, height: h } = this.boxes;
    this.buckets.forEach((bucket, code) => {
      const style = this.styles[code];
      if (style.isPlain && !style.outline) return;
      brush.globalAlpha = style.outline ? 0.3 : 1;
      brush.fillStyle = fillOf(brush, style);
      for (const i of bucket) brush.fillRect(x[i] * scale, y[i] * scale, Math.max(1, w[i] * scale), Math.max(1, h[i] * scale));
    });
    return canvas;
  }

  #each(run) {
    const { left, top, zoom, width, height } = this.#view;
    const { x, y, width: w, height: h } = this.boxes;
    this.buckets.forEach((bucket, code) => {
      const style = this.styles[code];
      this.brush.fillStyle = fillOf(this.brush, style);
      for (const i of bucket) {
        const [px, py, pw, ph] = [left + x[i] * zoom, top + y[i] * zoom, w[i] * zoom, h[i] * zoom];
        if (px > width || py > height || px + pw < 0 || py + ph < 0) continue;
        run(style, px, py, pw, ph);
        this.drawn += 1;
      }
    });
  }

  #box(style, x, y, w, h) {
    const { brush } = this;
    if (!style.isPlain) {
      // Close by, the tissue must be seen: a frame says what the whole surface says from afar.
      const rim = Math.min(w, h) < 48 ? 0 : Math.max(5, Math.min(12, Math.min(w, h) * 0.08));
      if (rim) frame(brush, x + 1, y + 1, w - 2, h - 2, rim);
      else brush.fillRect(x, y, w - 1, h - 1);
    }
    if (style.outline) {
      outlined(brush, style.outline, x, y, w, h);
      return;
    }
    if (w < 10) return;
    brush.strokeStyle = "rgb(255 255 255 / 80%)";
    brush.lineWidth = 1;
    brush.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
    if (!style.isPlain && w >= LETTER_FROM && h >= LETTER_FROM) this.#letter(style, x, y);
  }

  #letter(style, x, y) {
    const { brush } = this;
    const fill = brush.fillStyle;
    brush.font = "700 13px system-ui, sans-serif";
    const wide = brush.measureText(style.letter).width + 8;
    brush.fillStyle = style.colour;
    brush.fillRect(x + 2, y + 2, wide, 18);
    brush.fillStyle = ink(style.colour);
    brush.fillText(style.letter, x + 6, y + 15);
    brush.fillStyle = fill;
  }

  #drawMark() {
    const { boxes, brush, marked } = this;
    if (marked < 0 || marked >= boxes.count) return;
    const { left, top, zoom } = this.#view;
    const wide = Math.max(10, boxes.width[marked] * zoom);
    const high = Math.max(10, boxes.height[marked] * zoom);
    const x = left + (boxes.x[marked] + boxes.width[marked] / 2) * zoom - wide / 2;
    const y = top + (boxes.y[marked] + boxes.height[marked] / 2) * zoom - high / 2;
    for (const [colour, line] of [["#ffffff", 6], ["#000000", 3]]) {
      brush.strokeStyle = colour;
      brush.lineWidth = line;
      brush.strokeRect(x, y, wide, high);
    }
  }
}

/** A thin line with a light one beside it: seen on bright and on dark ground, and hiding nothing. */
function outlined(brush, colour, x, y, w, h) {
  brush.lineWidth = 1;
  if (w >= 24) {
    brush.strokeStyle = "rgb(255 255 255 / 75%)";
    brush.strokeRect(x + 1.5, y + 1.5, w - 3, h - 3);
  }
  brush.strokeStyle = colour;
  brush.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
}

function frame(brush, x, y, w, h, rim) {
  brush.fillRect(x, y, w, rim);
  brush.fillRect(x, y + h - rim, w, rim);
  brush.fillRect(x, y + rim, rim, h - 2 * rim);
  brush.fillRect(x + w - rim, y + rim, rim, h - 2 * rim);
}
