/**
 * Values with their intervals as dots on whiskers, one row a name: a number without its range says too much.
 * Decides the drawing; refuses to know how the intervals were made.
 */

import { axis } from "../charts.js";

const SYMBOLS = ["circle", "diamond", "rect", "triangle"];

/** Pixels that `rows` rows need. */
export const heightOf = (rows) => 44 + rows * 26;

/**
 * The option for `groups` [{name, points: [{label, value, low, high}]}] over the rows `labels`;
 * values lie between `min` and 1. Points without a value are left out, those without bounds have no whisker.
 */
export function intervals(colours, { groups, labels, min = 0, digits = 2 }) {
  const row = new Map(labels.map((label, place) => [label, place]));
  const series = groups.flatMap((group, place) => {
    const colour = colours.series[place % colours.series.length];
    const known = group.points.filter(({ value }) => value !== null);
    const shift = (place - (groups.length - 1) / 2) * 8;
    return [
      { name: group.name, type: "custom", silent: true, itemStyle: { color: colour }, z: 2, renderItem: whisker(colour, shift),
        data: known.filter(({ low }) => low !== null).map((one) => [one.low, row.get(one.label), one.high]), encode: { x: [0, 2], y: 1 } },
      { name: group.name, type: "scatter", symbol: SYMBOLS[place % SYMBOLS.length], symbolSize: 11, symbolOffset: [0, shift], itemStyle: { color: colour }, z: 3,
        data: known.map((one) => ({ value: [one.value, row.get(one.label)], one })),
        tooltip: { formatter: ({ data: { one } }) => say(group.name, one, digits) } },
    ];
  });
  return {
    legend: groups.length > 1 ? {} : false,
    xAxis: axis(colours, { type: "value", min, max: 1 }),
    yAxis: { ...axis(colours, { type: "category", data: labels, inverse: true, axisLabel: { width: 170, overflow: "truncate" } }), splitLine: { show: true, lineStyle: { color: colours.faint } } },
    series,
  };
}

function whisker(colour, shift) {
  return (params, api) => {
    const [from, to] = [0, 2].map((place) => api.coord([api.value(place), api.value(1)]));
    const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1: y1 + shift, x2, y2: y2 + shift }, style: { stroke: colour, lineWidth: 2 } });
    return { type: "group", children: [
      line(from[0], from[1], to[0], to[1]), line(from[0], from[1] - 4, from[0], from[1] + 4), line(to[0], to[1] - 4, to[0], to[1] + 4),
    ] };
  };
}

function say(group, { label, value, low, high, more = "" }, digits) {
  const range = low === null ? "" : ` (95% ${low.toFixed(digits)} to ${high.toFixed(digits)})`;
  return `${label}${group ? `, ${group}` : ""}: ${value.toFixed(digits)}${range}${more ? `\n${more}` : ""}`;
}
