/**
 * Arithmetic of colours. Decides what is read well on what; refuses to know whose colour it is.
 */

/** Red, green and blue, 0 to 255, of "#rrggbb" or "rgb(…)". */
function channels(colour) {
  if (colour.startsWith("rgb")) return colour.match(/[\d.]+/g).slice(0, 3).map(Number);
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/** The colour between two, `share` of the way. */
export function blend(from, to, share) {
  const [one, other] = [channels(from), channels(to)];
  return `rgb(${one.map((value, place) => Math.round(value + (other[place] - value) * share)).join(",")})`;
}

/** Black or white, whichever is read better on `colour` (relative luminance, WCAG 2.2). */
export function ink(colour) {
  const parts = channels(colour).map((value) => value / 255);
  const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}
