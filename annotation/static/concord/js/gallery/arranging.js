/**
 * Which cells are shown, and in which order.
 * Decides by the server's orders and by what was entered; refuses to know nodes.
 */

import { byCode } from "../classes.js";
import { REFUSED, SENT } from "./cell.js";

export const SORTS = { slide: "Slide by slide", similarity: "Alike beside alike", suggestion: "Suggested class", uncertainty: "Least sure first" };

const FILTERS = {
  all: { label: "All cells", fits: () => true },
  open: { label: "Without a label", fits: (cell) => !cell.label },
  labelled: { label: "With a label", fits: (cell) => cell.label !== "" && cell.state !== SENT },
  refused: { label: "Not taken", fits: (cell) => cell.state === REFUSED },
};

/** The ranks of regions in each order, from the server's tokens: {slide: Map, similarity: Map or null, …}. */
export function ranks(orders, cells) {
  const regions = new Map(cells.map((cell) => [cell.token, cell.region.id]));
  const rank = (tokens) => tokens && new Map(tokens.map((token, place) => [regions.get(token), place]));
  return Object.fromEntries(Object.keys(SORTS).map((name) => [name, rank(orders[name])]));
}

/** The choices of the filter for these cells: [{value, label}]. */
export function filters(cells) {
  const fixed = Object.entries(FILTERS).map(([value, { label }]) => ({ value, label }));
  const suggested = [...new Set(cells.map((cell) => cell.suggestion).filter(Boolean))].sort();
  return [...fixed, ...suggested.map((code) => ({ value: `class:${code}`, label: `Suggested: ${byCode(code).name}` }))];
}

/** The cells that fit the filter, in order; those that have no place in it last. */
export function arrange(cells, { rank, filter }) {
  const fits = filter.startsWith("class:") ? (cell) => cell.suggestion === filter.slice(6) : (FILTERS[filter] ?? FILTERS.all).fits;
  const place = (cell) => rank?.get(cell.region.id) ?? Number.MAX_SAFE_INTEGER;
  return cells.filter(fits).sort((one, other) => place(one) - place(other));
}
