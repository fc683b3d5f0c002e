/**
 * The slides that are being set up, a row each, with cells to fill: the case, or the domain's values.
 * Decides which cells are pointed out as empty and that each saves by itself; refuses to know what they mean.
 */

import { del, get, put, url } from "../api.js";
import { ask, count as many, el, find, findAll, number, percent, replace, say, toast } from "../dom.js";
import { complain, keepFocus } from "./fields.js";

const PAGE = 50;
const NUMBERS = new Set(["Size", "Tissue"]);

/** Draw the table into `place`. `columns`: [{name, label, of: "case" | "domain"}]. Returns {reload, fill, rows}. */
export function slideTable(place, { page, columns, removable = false }) {
  let rows = [];
  let next = null;
  const bodyOf = el("tbody");
  const more = el("button", { type: "button", hidden: true, on: { click: () => load() } }, "Show more slides");
  const lists = columns.map((one) => el("datalist", { id: `values-${one.name}` }));
  const head = ["Picture", "File", ...columns.map((one) => one.label), "Size", "Tissue"];
  const table = el("div", { class: "scroll", role: "region", "aria-label": "Slides", tabindex: "0" },
    el("table", { class: "staged" }, el("caption", { class: "visually-hidden" }, "Slides that are being set up"),
      el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col", class: NUMBERS.has(name) ? "number" : null }, name)), removable && el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Remove")))),
      bodyOf));
  const hint = el("p", { class: "hint lacking-hint" });
  const jump = el("button", { type: "button", class: "small", on: { click: () => findAll("input.lacking", bodyOf)[0]?.focus() } }, "Go to the next empty cell");
  replace(place, el("div", { class: "lacking-bar" }, hint, jump), table, more, lists);

  async function load({ fresh = false } = {}) {
    const found = await get(`setup/slides/?size=${PAGE}${next && !fresh ? `&after=${next}` : ""}`);
    rows = fresh ? found.results : [...rows, ...found.results];
    next = found.next;
    more.hidden = !next;
    keepFocus(() => replace(bodyOf, rows.map(line)));
    table.hidden = !rows.length;
    count();
  }

  function line(row) {
    const cells = columns.map((one) => el("td", {}, cell(row, one)));
    return el("tr", { dataset: { slide: row.id } },
      el("td", { class: "picture" }, el("img", { src: url(`setup/slides/${row.id}/thumbnail.jpg`), alt: "", width: 72, height: 48, loading: "lazy" })),
      el("th", { scope: "row", text: row.name }), cells,
      el("td", { class: "number" }, `${number(row.width)} × ${number(row.height)} px`, el("br"), el("span", { class: "hint", text: row.um_per_px ? `${number(row.um_per_px, 3)} µm/px` : "pixel size not known" })),
      el("td", { class: "number", text: percent(row.tissue_share, 0) }),
      removable && el("td", {}, el("button", { type: "button", class: "small quiet", "aria-label": `Remove ${row.name}`, on: { click: () => remove(row) } }, "Remove")));
  }

  function cell(row, one) {
    const value = one.of === "case" ? row.case : row.domain[one.name] ?? "";
    const input = el("input", { id: `${one.of}-${one.name}-${row.id}`, value, maxlength: 200, autocomplete: "off", list: `values-${one.name}`, "aria-label": `${one.label} of ${row.name}`, class: value ? "" : "lacking" });
    input.addEventListener("change", async () => {
      const body = one.of === "case" ? { case: input.value } : { domain: { [one.name]: input.value } };
      try {
        Object.assign(row, await put(`setup/slides/${row.id}/`, body));
        complain(input, "");
        input.classList.toggle("lacking", !input.value.trim());
        count();
        await page.refresh();
      } catch (error) {
        complain(input, error.message);
      }
    });
    return input;
  }

  function count() {
    const lacking = findAll("input.lacking", bodyOf).length;
    hint.textContent = lacking ? `${many(lacking, "empty cell")}, with a dashed frame.` : "";
    jump.hidden = !lacking;
    columns.forEach((one, at) => {
      const values = new Set(rows.map((row) => (one.of === "case" ? row.case : row.domain[one.name])).filter(Boolean));
      replace(lists[at], [...values].sort().map((value) => el("option", { value })));
    });
  }

  async function remove(row) {
    const sure = await ask({ title: `Remove ${row.name}?`, body: "The file is taken out of the store. You can add it again.", confirm: "Remove", danger: true });
    if (!sure) return;
    try {
      await del(`setup/slides/${row.id}/`);
      say(`${row.name} was removed.`);
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
    await reload();
    find("#step-title").focus();
  }

  async function reload() {
    next = null;
    await load({ fresh: true });
    await page.refresh();
  }

  return { reload, load: () => load({ fresh: true }), count: () => rows.length };
}
