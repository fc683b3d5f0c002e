/**
 * Lengths and magnification on a picture: a round number of micrometres for a scale bar, and "20×".
 * Decides rounding and units; refuses to know viewers. Without a pixel size it speaks of pixels, and guesses nothing.
 */

import { number } from "../dom.js";

/** Micrometres a pixel that a 40× objective gives, by custom. */
const UM_AT_40 = 0.25;

/**
 * A scale bar for a view in which a level-0 pixel takes `zoom` screen pixels: {pixels, text}, at most `longest` wide.
 */
export function bar(zoom, umPerPx, longest = 140) {
  const each = (umPerPx ?? 1) / zoom;
  const most = longest * each;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((step) => step * power).find((one) => one <= most) ?? power;
  const text = umPerPx ? micrometres(length) : `${number(length, 2)} px`;
  return { pixels: length / each, text };
}

function micrometres(length) {
  return length >= 1000 ? `${number(length / 1000, 2)} mm` : `${number(length, 2)} µm`;
}

/** How much a view magnifies, as microscopists say it: "≈ 20×"; in percent of full sharpness without a pixel size. */
export function magnification(zoom, umPerPx, objective = null) {
  const full = objective ?? (umPerPx ? (40 * UM_AT_40) / umPerPx : null);
  if (!full) return `${number(zoom * 100, zoom < 0.1 ? 1 : 0)} % of full sharpness`;
  const times = full * zoom;
  return `≈ ${number(times, times < 1 ? 2 : times < 10 ? 1 : 0)}×`;
}
