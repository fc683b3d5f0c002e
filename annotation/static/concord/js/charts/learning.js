/** Scores of the models by the size of their training sets, and how often the first choice was right: ranked beside random. */

import { read, records } from "../cells.js";
import { axis } from "../charts.js";
import { number } from "../dom.js";

export function charts(panel) {
  return [...scores(records(panel, "models")), ...hits(records(panel, "hits"))];
}

function scores(models) {
  const lines = [["out_of_fold", "Out-of-fold", "circle"], ["audit", "Audit sample", "diamond"]]
    .map(([key, name, symbol]) => ({ name, symbol, points: models.filter((one) => one[key] !== null).map((one) => [one.revisions, one[key], one.model]).sort(([a], [b]) => a - b) }))
    .filter(({ points }) => points.length);
  if (!lines.length) return [];
  return [{
    name: "scores", title: "Macro-F1 of each model", height: 260,
    describe: `Lines, macro-F1 by regions trained on: ${lines.map(({ name, points }) => `${name} from ${points[0][1].toFixed(2)} at ${number(points[0][0])} to ${points.at(-1)[1].toFixed(2)} at ${number(points.at(-1)[0])}`).join("; ")}.`,
    option: (colours) => ({
      grid: { bottom: 26 },
      xAxis: axis(colours, { type: "value", scale: true, minInterval: 1, name: "regions trained on", nameLocation: "middle" }),
      yAxis: axis(colours, { type: "value", min: 0, max: 1 }),
      tooltip: { formatter: ({ seriesName, value }) => `Model ${value[2]}, ${number(value[0])} regions\n${seriesName}: ${value[1].toFixed(3)}` },
      series: [
        ...lines.map(({ name, symbol, points }, place) => ({ name, type: "line", symbol, symbolSize: 9, color: colours.series[place], data: points, lineStyle: { type: place ? "dashed" : "solid" } })),
        { name: "Audit sample", type: "custom", silent: true, renderItem: bar(colours.series[lines.length - 1]), color: colours.series[lines.length - 1], encode: { x: 0, y: [1, 2] },
          data: models.filter((one) => one.audit_low !== null).map((one) => [one.revisions, one.audit_low, one.audit_high]) },
      ],
    }),
  }];
}

function hits(rows) {
  if (!rows.length) return [];
  const kinds = [...new Set(rows.map(({ share_of: kind }) => kind))].sort();
  const lines = kinds.map((kind) => ({ kind, points: rows.filter(({ share_of: own }) => own === kind).sort((a, b) => a.revisions - b.revisions) }));
  return [{
    name: "hits", title: "First choice right, ranked beside random", height: 260,
    describe: `First choice of the model right: ${lines.map(({ kind, points }) => `${kind} picks ${points.map(({ model, right }) => `model ${model} ${read(right, "share")}`).join(", ")}`).join("; ")}.`,
    option: (colours) => ({
      grid: { bottom: 26 },
      xAxis: axis(colours, { type: "value", scale: true, minInterval: 1, name: "regions trained on", nameLocation: "middle" }),
      yAxis: axis(colours, { type: "value", min: 0, max: 1 }),
      tooltip: { formatter: ({ data: { one } }) => `Model ${one.model}, ${one.share_of}: ${read(one.right, "share")}\n95% ${read(one.low, "share")} to ${read(one.high, "share")}, ${number(one.picks)} picks` },
      series: lines.flatMap(({ kind, points }, place) => [
        { name: kind, type: "line", symbol: place ? "diamond" : "circle", symbolSize: 9, lineStyle: { type: place ? "dashed" : "solid" },
          color: colours.series[place], data: points.map((one) => ({ value: [one.revisions, one.right], one })) },
        { name: kind, type: "custom", silent: true, renderItem: bar(colours.series[place]), color: colours.series[place], data: points.map(({ revisions, low, high }) => [revisions, low, high]), encode: { x: 0, y: [1, 2] } },
      ]),
    }),
  }];
}

function bar(colour) {
  return (params, api) => {
    const [from, to] = [1, 2].map((place) => api.coord([api.value(0), api.value(place)]));
    return { type: "line", shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }, style: { stroke: colour, lineWidth: 1.5, opacity: 0.7 } };
  };
}
