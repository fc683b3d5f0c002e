/** Settled regions of each class by how they were decided, and a mark where the quota lies. */

import { records } from "../cells.js";
import { axis } from "../charts.js";
import { number } from "../dom.js";

const WAYS = [["consensus", "By consensus"], ["adjudicated", "By an adjudicator"], ["otherwise", "By a manager or a mapping"]];

export function charts(panel) {
  const rows = records(panel, "classes");
  if (!rows.length) return [];
  const names = rows.map(({ name }) => name);
  const wanted = rows.filter(({ quota }) => quota);
  const short = wanted.filter(({ missing }) => missing).map(({ name, missing }) => `${name} lacks ${number(missing)}`);
  return [{
    name: "classes", title: "Settled regions", height: 64 + rows.length * 28,
    describe: `Bars: ${rows.map(({ name, settled }) => `${name} ${number(settled)}`).join(", ")}. ${wanted.length ? short.join(", ") || "Every quota is met" : "There are no quotas"}.`,
    option: (colours) => ({
      xAxis: axis(colours, { type: "value", minInterval: 1 }),
      yAxis: axis(colours, { type: "category", data: names, inverse: true, axisLabel: { width: 170, overflow: "truncate" } }),
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
      series: [
        ...WAYS.map(([key, name]) => ({ name, type: "bar", stack: "all", data: rows.map((row) => row[key]), barMaxWidth: 18 })),
        ...(wanted.length ? [{ name: "Quota", type: "scatter", symbol: "rect", symbolSize: [3, 22], itemStyle: { color: colours.text },
          data: wanted.map(({ quota, name }) => [quota, name]) }] : []),
      ],
    }),
  }];
}
