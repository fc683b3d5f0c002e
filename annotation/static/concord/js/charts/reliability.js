/** People as dots on whiskers, and the confusion matrix of one of them. */

import { columnsOf, read, records } from "../cells.js";
import { heatmap, heightOf as heatHeight } from "./heatmap.js";
import { heightOf, intervals } from "./interval.js";

const MOST_PEOPLE = 40;

export function charts(panel) {
  const people = records(panel, "people");
  return [...byPerson(people), ...confusion(panel)];
}

function byPerson(people) {
  const shown = people.slice(0, MOST_PEOPLE);
  const groups = [
    { name: "Right, by the fit", points: shown.map((one) => ({ label: one.annotator, value: one.right, low: one.right_low, high: one.right_high, more: `${one.answers} fair answers` })) },
    { name: "Gold right", points: shown.map((one) => ({ label: one.annotator, value: one.gold_right, low: null, high: null, more: `${one.gold} gold regions` })) },
    { name: "Repeats the same", points: shown.map((one) => ({ label: one.annotator, value: one.repeats_same, low: null, high: null, more: `${one.repeats} repeats` })) },
  ].filter(({ points }) => points.some(({ value }) => value !== null));
  if (!groups.length) return [];
  return [{
    name: "people", title: "Share right or the same", height: heightOf(shown.length) + 24,
    describe: `Dots: ${groups.map(({ name, points }) => `${name}: ${points.filter(({ value }) => value !== null).map(({ label, value }) => `${label} ${read(value, "share")}`).join(", ")}`).join("; ")}.`,
    option: (colours) => intervals(colours, { groups, labels: shown.map(({ annotator }) => annotator) }),
  }];
}

function confusion(panel) {
  const columns = columnsOf(panel, "confusion");
  if (!columns.length) return [];
  const rows = panel.tables.find(({ name }) => name === "confusion").rows;
  const across = columns.slice(1).map(({ label }) => label);
  const ranges = new Map(records(panel, "ranges").map((one) => [`${one.truth} ${one.answer}`, one]));
  const range = ({ row, column }) => {
    const found = ranges.get(`${row} ${column}`);
    return found ? `; on fair answers ${read(found.share, "share")}, from ${read(found.low, "share")} to ${read(found.high, "share")}` : "";
  };
  const cells = rows.flatMap(([truth, ...shares]) => shares.map((value, place) => ({
    row: truth, column: across[place], value, text: value >= 0.005 ? value.toFixed(2).replace(/^0/, "") : "",
  })));
  const mixed = cells.filter(({ row, column }) => row !== column).reduce((one, other) => (!one || other.value > one.value ? other : one), null);
  return [{
    name: "confusion", title: `What ${panel.data.chosen} answers (across) to each true class (down)`, height: heatHeight({ rows: rows.length, columns: across.length }),
    describe: `Confusion matrix of ${panel.data.chosen}, true classes down, answers across.${mixed ? ` Mixed up most: ${mixed.row} called ${mixed.column}, ${read(mixed.value, "share")}${range(mixed)}.` : ""}`,
    option: (colours) => heatmap(colours, { cells, across, down: rows.map(([truth]) => truth),
      says: (cell) => `${cell.row} called ${cell.column}: ${read(cell.value, "share")}${range(cell)}` }),
  }];
}
