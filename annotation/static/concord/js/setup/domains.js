/**
 * Domain columns (lab, scanner, stain, …) and their value for each slide.
 * Decides how columns are named, added and dropped; whether a name holds is decided on the server.
 */

import { post, get } from "../api.js";
import { ask, el, find, replace, say, toast } from "../dom.js";
import { complain, field, freeze } from "./fields.js";
import { slideTable } from "./slidetable.js";

const USUAL = ["lab", "scanner", "stain"];

export async function draw(body, page) {
  const list = el("ul", { id: "columns", class: "columns", "aria-label": "Domain columns" });
  const name = el("input", { id: "column-name", maxlength: 40, autocomplete: "off" });
  const form = el("form", { class: "row-form", id: "add-column", on: { submit: (event) => { event.preventDefault(); add(name.value.trim()); } } },
    field("New column", name, { hint: "A letter first, then letters, digits, - and _." }), el("button", { type: "submit" }, "Add the column"));
  const tableOf = el("div");
  const fixed = page.stepOf("domains").fixed;
  body.append(
    el("p", { text: "A domain is what makes slides differ without a difference in biology. Name each source as a column and give every slide its value: the dashboard then shows where the study is strong and where it is thin, and batches are drawn from all of them." }),
    list, fixed ? "" : form, tableOf);
  drawColumns();
  await drawTable();

  function drawColumns() {
    replace(list, page.state.domains.map((one) => el("li", {}, el("span", { class: "badge info", text: one }),
      !fixed && el("button", { type: "button", class: "small quiet", "aria-label": `Rename ${one}`, on: { click: () => rename(one) } }, "Rename"),
      !fixed && el("button", { type: "button", class: "small quiet", "aria-label": `Drop ${one}`, on: { click: () => drop(one) } }, "Drop"))),
    page.state.domains.length === 0 && el("li", { class: "hint" }, "No column yet. Usual ones: ", USUAL.map((one) => el("button", { type: "button", class: "small", on: { click: () => add(one) } }, `Add ${one}`))));
    if (fixed) freeze(list);
  }

  async function drawTable() {
    const columns = page.state.domains.map((one) => ({ name: one, label: one, of: "domain" }));
    if (!columns.length) { replace(tableOf); return; }
    const place = el("div");
    replace(tableOf, el("h3", { text: "Values" }), page.state.staged > 1 ? filler(columns) : "", place);
    if (!page.state.staged) {
      replace(place, el("p", { class: "empty", text: fixed ? "No slide waits to enter the study." : "There is no slide yet. Add some under Slides; their values are entered here." }));
      return;
    }
    await slideTable(place, { page, columns }).load();
  }

  /** One value for all slides that have none: most studies have few scanners and many slides. */
  function filler(columns) {
    const column = el("select", { id: "fill-column" }, columns.map((one) => el("option", { value: one.name }, one.label)));
    const value = el("input", { id: "fill-value", maxlength: 200, autocomplete: "off" });
    const run = async () => {
      if (!value.value.trim()) return;
      const empty = (await allSlides()).filter((row) => !row.domain[column.value]);
      const text = [["path", column.value], ...empty.map((row) => [row.name, value.value.trim()])].map((cells) => cells.map(quote).join(",")).join("\n");
      try {
        if (empty.length) await post("setup/slides.csv", { text });
        say(`${empty.length} slides filled.`);
        value.value = "";
      } catch (error) {
        toast(error.message, { kind: "bad" });
      }
      await page.refresh();
      await drawTable();
    };
    return el("form", { class: "row-form", on: { submit: (event) => { event.preventDefault(); run(); } } },
      field("Fill the empty cells of", column), field("with", value), el("button", { type: "submit" }, "Fill"));
  }

  async function save(domains, renamed = {}) {
    try {
      await page.save("domains", { domains, renamed });
      complain(name, "");
      drawColumns();
      await drawTable();
      return true;
    } catch (error) {
      complain(name, error.message);
      return false;
    }
  }

  async function add(column) {
    if (column && (await save([...page.state.domains, column]))) {
      name.value = "";
      find("#column-name").focus();
      say(`Column ${column} added.`);
    }
  }

  async function rename(column) {
    const given = await ask({ title: `Rename ${column}`, fields: [{ name: "to", label: "New name", value: column, required: true }], confirm: "Rename" });
    if (given) await save(page.state.domains.map((one) => (one === column ? given.to.trim() : one)), { [column]: given.to.trim() });
  }

  async function drop(column) {
    const sure = await ask({ title: `Drop ${column}?`, body: "The values that slides have for it are lost.", confirm: "Drop", danger: true });
    if (sure) await save(page.state.domains.filter((one) => one !== column));
  }
}

async function allSlides() {
  const rows = [];
  let next = "";
  do {
    const found = await get(`setup/slides/?size=500${next ? `&after=${next}` : ""}`);
    rows.push(...found.results);
    next = found.next;
  } while (next);
  return rows;
}

const quote = (cell) => `"${cell.replaceAll('"', '""')}"`;
