/**
 * Draws the probabilities of the classes as bars with numbers: a table, so that it is read without the bars.
 * Decides how many classes are worth a line; refuses to know where the numbers come from.
 */

import { label } from "./classes.js";
import { el, percent } from "./dom.js";

const WORTH_A_LINE = 0.02;
const MOST_LINES = 5;

/** A table of [{code, probability}], likeliest first; what is hardly possible is summed up in the last line. */
export function bars(chances, { caption }) {
  const sorted = [...chances].sort((one, other) => other.probability - one.probability);
  const shown = sorted.filter((one, place) => place < 2 || (place < MOST_LINES && one.probability >= WORTH_A_LINE));
  const rest = sorted.slice(shown.length).reduce((sum, one) => sum + one.probability, 0);
  return el("table", { class: "posterior" },
    el("caption", { text: caption }),
    el("thead", { class: "visually-hidden" }, el("tr", {}, el("th", { scope: "col", text: "Class" }), el("th", { scope: "col", text: "Probability" }))),
    el("tbody", {},
      shown.map((one) => line(label(one.code), one.probability)),
      sorted.length > shown.length && line(`${sorted.length - shown.length} other classes together`, rest)));
}

function line(name, probability) {
  const bar = el("span", { class: "bar", "aria-hidden": "true", style: { "--share": `${probability * 100}%` } });
  return el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "number" }, bar, el("span", { text: percent(probability) })));
}
