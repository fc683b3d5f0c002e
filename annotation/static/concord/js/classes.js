/**
 * Shows classes of the protocol so that colour is never alone: colour, pattern and letter together.
 * Decides how a class looks; refuses to know where it is shown.
 */

import { ink } from "./colours.js";
import { boot, el } from "./dom.js";

let table;

/** The class of this code as the page knows it, or a plain stand-in for a code of older rules. */
export function byCode(code) {
  table ??= new Map((boot().classes ?? []).map((one) => [one.code, one]));
  return table.get(code) ?? { code, name: code || "no class", colour: "#808080", letter: "?", pattern: 0, key: "", definition: "", special: false };
}

/** A small sign of a class. It is decoration: write the class's name beside it. */
export function swatch(cls, { size = "" } = {}) {
  const one = typeof cls === "string" ? byCode(cls) : cls;
  const colours = { "--class-colour": one.colour, "--class-ink": ink(one.colour) };
  return el("span", { class: `swatch pattern-${one.pattern} ${size}`, "aria-hidden": "true", style: colours, text: one.letter });
}

/** The sign and the name of a class. */
export function label(cls) {
  const one = typeof cls === "string" ? byCode(cls) : cls;
  return el("span", { class: "class-label" }, swatch(one), el("span", { text: one.name }));
}

/**
 * Class code -> its keys: its own unless one of the screen's `tools` has it, and the digit of its place in the list
 * where that is no other class's own.
 */
export function classKeys(tools = []) {
  const classes = boot().classes ?? [];
  const own = new Set(classes.map((one) => one.key));
  return new Map(classes.map(({ code, key }, place) => {
    const digit = String((place + 1) % 10);
    const keys = [key && !tools.includes(key.toLowerCase()) ? key : null, place < 10 && (key === digit || !own.has(digit)) ? digit : null];
    return [code, [...new Set(keys.filter(Boolean))].map((one) => (/^\d$/.test(one) ? `Digit${one}` : one.toLowerCase()))];
  }));
}
