/** Domains as a heat map: the first declared dimension down, the others across; settled share, and the model's share right. */

import { columnsOf, read, records } from "../cells.js";
import { number } from "../dom.js";
import { heatmap, heightOf } from "./heatmap.js";

const SHORT = new Intl.NumberFormat("en-GB", { notation: "compact", maximumSignificantDigits: 3 });

export function charts(panel) {
  const rows = records(panel, "domains");
  if (!rows.length) return [];
  const labels = columnsOf(panel, "domains").filter(({ name }) => name.startsWith("value_")).map(({ label }) => label);
  // Of a large study little is settled anywhere: the strongest colour is the best covered domain, the text says how well.
  const most = Math.max(...rows.map(({ share }) => share ?? 0)) || 1;
  const cells = rows.map((row) => place(row, labels.length, most));
  const down = [...new Set(cells.map(({ row }) => row))];
  const across = [...new Set(cells.map(({ column }) => column))];
  const bare = rows.filter(({ settled }) => !settled).map(({ domain }) => domain);
  const least = rows.filter(({ share }) => share !== null).reduce((one, other) => (!one || other.share < one.share ? other : one), null);
  return [{
    name: "domains", title: `Settled share, ${labels.join(" × ")}`,
    height: heightOf({ rows: down.length, columns: across.length, lines: rows.some(({ right }) => right !== null) ? 3 : 2 }),
    describe: `Heat map of ${rows.length} domains: share of settled regions${least ? `, least in ${least.domain} with ${read(least.share, "share")}` : ""}. ${bare.length ? `Nothing is settled in ${bare.join(", ")}.` : "Something is settled in each."}`,
    option: (colours) => heatmap(colours, { cells, down, across, says }),
  }];
}

function place(row, dimensions, most) {
  const values = Array.from({ length: dimensions }, (_, at) => row[`value_${at}`]);
  const lines = [row.settled ? read(row.share, "share") : "none", `${SHORT.format(row.settled)} / ${SHORT.format(row.regions)}`];
  if (row.right !== null) lines.push(`model ${read(row.right, "share")}`);
  return {
    ...row, row: values[0] || row.domain, column: values.slice(1).join(" · ") || "all",
    value: row.share === null ? null : row.share / most, text: lines.join("\n"),
  };
}

function says(cell) {
  const lines = [cell.domain, `${number(cell.settled)} of ${number(cell.regions)} settled (${read(cell.share, "share")})`,
    `${number(cell.slides)} slides of ${number(cell.cases)} cases; ${number(cell.waiting)} in the queue`];
  if (cell.right !== null) lines.push(`model right on ${read(cell.right, "share")} of ${number(cell.items)} items (${read(cell.right_low, "share")} to ${read(cell.right_high, "share")})`);
  return lines.join("\n");
}
