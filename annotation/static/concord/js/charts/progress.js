/** Settled regions by day, and the lines between which the goal is reached 8 times in 10. */

import { records } from "../cells.js";
import { axis } from "../charts.js";
import { count, number } from "../dom.js";

const DAY = 86_400_000;

export function charts(panel) {
  const days = records(panel, "days");
  if (!days.length) return [];
  const goals = records(panel, "forecast").filter(({ likely, remaining }) => likely && remaining);
  const goal = goals.find(({ goal: name }) => name.startsWith("Every class")) ?? goals[0];
  const last = days.at(-1);
  const ahead = goal ? ` ${goal.goal}: ${count(goal.remaining, "region")} left, between ${goal.earliest} and ${goal.latest ?? "never"}.` : " It is too early for a forecast.";
  return [{
    name: "days", title: "Settled regions", height: 270,
    describe: `Line: ${count(last.total, "region")} settled by ${last.day}, from ${number(days[0].total)} on ${days[0].day}.${ahead}`,
    option: (colours) => draw(colours, days, goal),
  }];
}

function draw(colours, days, goal) {
  const last = days.at(-1);
  const start = [last.day, last.total];
  const line = (name, end, type, place) => end && {
    name, type: "line", data: [start, [end, last.total + goal.remaining]], symbol: "none",
    lineStyle: { type, color: colours.series[1], width: place }, itemStyle: { color: colours.series[1] },
  };
  const ends = goal ? [goal.latest, goal.likely].filter(Boolean).map((one) => Date.parse(one)) : [];
  // A goal years away would press the past into a line: the picture then ends before it.
  const until = ends.length ? Math.min(ends[0], Date.parse(last.day) + Math.max(days.length, 14) * 3 * DAY) : undefined;
  return {
    xAxis: axis(colours, { type: "time", max: until, minInterval: DAY, axisLabel: { formatter: "{MM}-{dd}" } }),
    yAxis: axis(colours, { type: "value", minInterval: 1 }),
    tooltip: { trigger: "axis", formatter: (points) => points.map(({ seriesName, value }) => `${value[0]}  ${seriesName}: ${number(value[1])}`).join("\n") },
    series: [
      { name: "Settled in all", type: "line", step: "end", data: days.map(({ day, total }) => [day, total]), symbolSize: 5, areaStyle: { opacity: 0.18 }, lineStyle: { width: 2.5 } },
      { name: "Settled that day", type: "bar", data: days.map(({ day, settled }) => [day, settled]), barMaxWidth: 14, itemStyle: { color: colours.series[2] } },
      goal && line("Earliest", goal.earliest, "dotted", 1.5), goal && line("Likely", goal.likely, "solid", 2), goal && line("Latest", goal.latest, "dashed", 1.5),
    ].filter(Boolean),
  };
}
