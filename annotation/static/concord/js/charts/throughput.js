/** Answers by day, one part of each bar a person. */

import { columnsOf, records } from "../cells.js";
import { axis } from "../charts.js";
import { count } from "../dom.js";

export function charts(panel) {
  const days = records(panel, "days");
  if (!days.length) return [];
  const people = columnsOf(panel, "days").slice(2).map(({ name }) => name);
  const total = days.reduce((sum, { answers }) => sum + answers, 0);
  const best = days.reduce((one, other) => (other.answers > one.answers ? other : one));
  return [{
    name: "days", title: "Answers", height: 270,
    describe: `Stacked bars: ${count(total, "answer")} between ${days[0].day} and ${days.at(-1).day} by ${people.join(", ")}; most on ${best.day}, ${best.answers}.`,
    option: (colours) => ({
      xAxis: axis(colours, { type: "category", data: days.map(({ day }) => day), axisLabel: { formatter: (day) => day.slice(5) } }),
      yAxis: axis(colours, { type: "value", minInterval: 1 }),
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
      series: people.map((name) => ({
        name, type: "bar", stack: "all", data: days.map((day) => day[name]), barMaxWidth: 28,
        ...(name === "others" ? { color: colours.series.at(-1) } : {}),
      })),
    }),
  }];
}
