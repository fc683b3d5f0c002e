/**
 * Brightness and contrast of the picture, kept in this browser.
 * Decides their steps and limits; refuses to touch anything but the picture: signs and colours of classes stay.
 */

import { number } from "../dom.js";

const STEP = 10;
const LOWEST = 40;
const HIGHEST = 220;
const PLAIN = { brightness: 100, contrast: 100 };

export class Tone {
  constructor(name, apply) {
    this.name = `concord.${name}`;
    this.apply = apply;
    this.values = { ...PLAIN, ...kept(this.name) };
    this.#put();
  }

  /** One step up or down; says in words what holds now. */
  change(what, by) {
    this.values[what] = Math.min(HIGHEST, Math.max(LOWEST, this.values[what] + by * STEP));
    this.#put();
    return this.words;
  }

  reset() {
    this.values = { ...PLAIN };
    this.#put();
    return this.words;
  }

  get words() {
    return `Brightness ${number(this.values.brightness)} %, contrast ${number(this.values.contrast)} %.`;
  }

  #put() {
    const { brightness, contrast } = this.values;
    this.apply(brightness === 100 && contrast === 100 ? "" : `brightness(${brightness}%) contrast(${contrast}%)`);
    try {
      localStorage.setItem(this.name, JSON.stringify(this.values));
    } catch {
      // A full or forbidden store: the values hold until the page is left.
    }
  }
}

function kept(name) {
  try {
    const found = JSON.parse(localStorage.getItem(name) ?? "{}");
    return Object.fromEntries(Object.entries(found).filter(([key, value]) => key in PLAIN && value >= LOWEST && value <= HIGHEST));
  } catch {
    return {};
  }
}
