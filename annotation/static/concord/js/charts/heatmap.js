/**
 * A heat map whose cells carry their numbers: colour is only the second way to read one.
 * Decides how a value becomes a colour and an ink that reads on it; refuses to know what the cells are.
 */

import { axis } from "../charts.js";
import { blend, ink } from "../colours.js";

const ROW = 34;

const MANY = 7;

/** Pixels that cells need: `rows` down and `columns` across (many of them have slanting names), `lines` in each. */
export const heightOf = ({ rows, columns, lines = 1 }) => (columns > MANY ? 132 : 44) + rows * (ROW + (lines - 1) * 14);

/**
 * The option for cells [{column, row, value (0…1 or null), text}]; `across` and `down` name the axes' places,
 * `says(cell)` is the tooltip.
 */
export function heatmap(colours, { cells, across, down, says }) {
  const place = new Map([...across.map((name, index) => [`x${name}`, index]), ...down.map((name, index) => [`y${name}`, index])]);
  const paint = (value) => (value === null ? colours.surface : blend(colours.surface, colours.series[0], 0.08 + 0.92 * value));
  const data = cells.map((cell) => ({
    value: [place.get(`x${cell.column}`), place.get(`y${cell.row}`), cell.value ?? 0],
    cell,
    itemStyle: { color: paint(cell.value), borderColor: colours.line, borderWidth: 1, decal: { symbol: "none" } },
    label: { color: ink(paint(cell.value)), formatter: cell.text, textBorderWidth: 0 },
  }));
  const short = (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text);
  return {
    legend: false,
    aria: { enabled: false },
    grid: { top: across.length > MANY ? 24 : 8, right: across.length > MANY ? 48 : 18 },
    tooltip: { formatter: ({ data: { cell } }) => says(cell) },
    xAxis: axis(colours, { type: "category", data: across, position: "top",
      axisLabel: { formatter: short, interval: 0, hideOverlap: false, rotate: across.length > MANY ? 40 : 0 } }),
    yAxis: axis(colours, { type: "category", data: down, inverse: true, axisLabel: { formatter: short, interval: 0 } }),
    series: [{ type: "heatmap", data, label: { show: true, lineHeight: 16 }, emphasis: { itemStyle: { borderColor: colours.text, borderWidth: 2 } } }],
  };
}
