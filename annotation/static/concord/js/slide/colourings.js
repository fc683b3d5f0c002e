/**
 * Ways to colour the regions of a slide: by state, class, uncertainty, the model's guess, answers.
 * Decides which style each region has, always colour, pattern and letter together; refuses to draw.
 */

import { byCode } from "../classes.js";
import { boot } from "../dom.js";

const style = (label, colour, pattern, letter, more = {}) => ({ label, colour, pattern, letter, ...more });

const STATES = {
  pool: style("in the pool: never queued", "#8a949a", 0, "–", { isPlain: true }),
  queued: style("queued: collects opinions", "#1f5f99", 1, "Q"),
  adjudication: style("waits for an adjudicator", "#a8480a", 6, "A"),
  settled: style("settled", "#146b37", 2, "S"),
  excluded: style("excluded from the data set", "#5b3590", 7, "X"),
};
const NONE = style("no class yet", "#8a949a", 0, "–", { isPlain: true });
const STEPS = ["#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"];
const STEP_PATTERNS = [0, 2, 4, 1, 6];
const STEP_PERCENT = 20;
const LOADS = ["#d7e9f7", "#9ecae1", "#4292c6", "#1f5f9c", "#08306b"];
const MOST = LOADS.length;

const ofClass = (code) => {
  const one = byCode(code);
  return style(one.name, one.colour, one.pattern, one.letter, { code });
};

/** Styles for class codes: those of the protocol in their order, then any of older rules; the last is for none. */
function classStyles(codes, none) {
  const known = (boot().classes ?? []).map((one) => one.code);
  const all = [...known, ...codes.filter((code) => !known.includes(code))];
  const place = new Map(all.map((code, at) => [code, at]));
  return { styles: [...all.map(ofClass), none], place: (code) => place.get(code) ?? all.length };
}

const WAYS = {
  state: () => {
    const names = Object.keys(STATES);
    return { styles: Object.values(STATES), code: (columns, index) => names.indexOf(columns.state(index)) };
  },
  class: (columns) => {
    const { styles, place } = classStyles(columns.labels, NONE);
    return { styles, code: (_, index) => place(columns.label(index)) };
  },
  predicted: (columns) => {
    const { styles, place } = classStyles(columns.guesses, style("no guess", "#8a949a", 0, "–", { isPlain: true }));
    return { styles, code: (_, index) => place(columns.guess(index)) };
  },
  uncertainty: (columns) => {
    const styles = STEPS.map((colour, at) => style(`${at * STEP_PERCENT} to ${(at + 1) * STEP_PERCENT} %`, colour, STEP_PATTERNS[at], `${at + 1}`));
    if (!columns.percent) return { styles: [style("not known", "#8a949a", 0, "–", { isPlain: true })], code: () => 0 };
    return { styles, code: (_, index) => Math.min(STEPS.length - 1, Math.floor(columns.percent[index] / STEP_PERCENT)) };
  },
  load: () => ({
    styles: [
      style("no answer", "#8a949a", 0, "0", { isPlain: true }),
      ...LOADS.map((colour, at) => style(at + 1 < MOST ? `${at + 1} answer${at ? "s" : ""}` : `${MOST} or more answers`, colour, STEP_PATTERNS[at], `${at + 1}`)),
    ],
    code: (columns, index) => Math.min(MOST, columns.load[index]),
  }),
};

/** The names of the ways. */
export const NAMES = Object.keys(WAYS);

/** {styles, codes, counts} for a way of colouring; `counts` are of those that are shown. */
export function colour(name, columns, shown) {
  const way = (WAYS[name] ?? WAYS.state)(columns);
  const codes = new Uint8Array(columns.count);
  const counts = way.styles.map(() => 0);
  for (let index = 0; index < columns.count; index += 1) {
    codes[index] = way.code(columns, index);
    if (shown[index]) counts[codes[index]] += 1;
  }
  return { styles: way.styles, codes, counts };
}

/** 1 for each region that fits {state, label, by}; an empty value fits all. */
export function fit(columns, { state = "", label = "", by = "" }) {
  const shown = new Uint8Array(columns.count).fill(1);
  for (let index = 0; index < columns.count; index += 1) {
    const isOut = (state && columns.state(index) !== state) || (label && columns.label(index) !== label) || (by && !columns.by(index).includes(by));
    if (isOut) shown[index] = 0;
  }
  return shown;
}
