/**
 * How a cell of a dashboard's table reads, as `annotation/screens/cells.py` writes it into the page.
 * Decides digits, units and the dash for what is not known; refuses to know what a table is about.
 */

const DASH = "–";
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** How the cells of a column are set: numbers to the right, moments unbroken. */
export const classOf = (kind) => (kind === "text" || kind === "slides" ? null : kind === "day" || kind === "time" ? "moment" : "number");

/** One cell as people read it. */
export function read(cell, kind) {
  if (cell === null || cell === "") return cell === null || kind !== "text" && kind !== "slides" ? DASH : "";
  if (typeof cell === "number") {
    if (kind === "count") return WHOLE.format(cell);
    if (kind === "share") return `${(cell * 100).toFixed(1)} %`;
    if (kind === "number") return cell.toFixed(2);
  }
  if (kind === "seconds") return `${cell} s`;
  if (kind === "time") return `${String(cell).slice(0, 16).replace("T", " ")} UTC`;
  return String(cell);
}

/** The rows of a table as objects by column name: what charts are made from. */
export function records(panel, name) {
  const table = panel.tables.find((one) => one.name === name);
  return table ? table.rows.map((row) => Object.fromEntries(table.columns.map((column, place) => [column.name, row[place]]))) : [];
}

/** The columns of a table by their place. */
export function columnsOf(panel, name) {
  return panel.tables.find((one) => one.name === name)?.columns ?? [];
}
