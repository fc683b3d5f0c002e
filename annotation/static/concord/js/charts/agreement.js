/** Agreement by class as dots on whiskers, and by pair as a heat map. */

import { records } from "../cells.js";
import { heatmap, heightOf as heatHeight } from "./heatmap.js";
import { heightOf, intervals } from "./interval.js";

const MOST_PEOPLE = 16;

export function charts(panel) {
  const overall = records(panel, "overall");
  if (!overall.length) return [];
  return [byClass(panel, overall), ...byPair(panel)];
}

function byClass(panel, overall) {
  const classes = records(panel, "classes").filter(({ value }) => value !== null);
  const points = [...overall.map((one) => ({ ...one, label: one.measure })), ...classes.map((one) => ({ ...one, label: one.name }))];
  const known = points.filter(({ value }) => value !== null);
  const lowest = Math.min(0, ...known.map(({ value, low }) => low ?? value));
  return {
    name: "classes", title: "Overall and by class, with 95% intervals", height: heightOf(points.length),
    describe: `Dots with intervals: ${known.map(({ label, value, low, high }) => `${label} ${value.toFixed(2)}${low === null ? "" : ` from ${low.toFixed(2)} to ${high.toFixed(2)}`}`).join(", ")}.`,
    option: (colours) => intervals(colours, { labels: points.map(({ label }) => label), groups: [{ name: "", points }], min: Math.floor(lowest * 5) / 5 }),
  };
}

function byPair(panel) {
  const pairs = records(panel, "pairs");
  const people = [...new Set(pairs.flatMap(({ first, second }) => [first, second]))].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  if (pairs.length < 2 || people.length > MOST_PEOPLE) return [];
  const cells = pairs.flatMap((pair) => [[pair.first, pair.second], [pair.second, pair.first]].map(([row, column]) => ({
    ...pair, row, column, text: pair.value.toFixed(2),
  })));
  const lowest = pairs.reduce((one, other) => (other.value < one.value ? other : one));
  return [{
    name: "pairs", title: "Same answer, by pair", height: heatHeight({ rows: people.length, columns: people.length }),
    describe: `Heat map of pairs of people: the share of the same answers, least between ${lowest.first} and ${lowest.second} with ${lowest.value.toFixed(2)}.`,
    option: (colours) => heatmap(colours, { cells, across: people, down: people,
      says: ({ first, second, regions, value, low, high }) => `${first} and ${second}: ${value.toFixed(2)}${low === null ? "" : ` (95% ${low.toFixed(2)} to ${high.toFixed(2)})`}\non ${regions} regions` }),
  }];
}
