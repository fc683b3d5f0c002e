/**
 * Gold: regions of known truth, added from a table or from adjudications, and how many there are of each class.
 * Decides the layout; which regions may be gold, and all that is wrong with a table, is said by the server.
 */

import { get, post } from "../api.js";
import { byCode } from "../classes.js";
import { count, el, number, replace, say } from "../dom.js";
import { complain, field } from "./fields.js";

/** A section that can be put into any step. */
export function section() {
  const stock = el("div");
  const file = el("input", { id: "gold-file", type: "file", accept: ".csv,text/csv" });
  const isTest = el("input", { id: "gold-test", type: "checkbox" });
  const many = el("input", { id: "gold-count", type: "number", min: "1", step: "1", value: "20" });
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const box = el("details", { id: "gold" }, el("summary", {}, "Gold: regions whose class is known"),
    el("p", { text: "Asked unmarked among other regions, in the shares of the classes, or in the entry test. Answers to gold are no evidence for its own truth." }),
    stock, problem,
    el("form", { class: "row-form", on: { submit: (event) => { event.preventDefault(); add(); } } },
      field("Table with the columns region and label", file, { hint: "A region is named by its id, as on its History page and in exports." }),
      el("label", { for: "gold-test" }, isTest, " For the entry test"), el("button", { type: "submit" }, "Add")),
    el("form", { class: "row-form", on: { submit: (event) => { event.preventDefault(); adopt(); } } },
      field("Regions that adjudicators have settled", many, { hint: "Drawn in the shares of the settled classes; never the audit sample or examples." }), el("button", { type: "submit" }, "Make gold")));
  box.addEventListener("toggle", () => { if (box.open) get("gold/").then(draw, tell); });
  return box;

  function draw(rows) {
    const known = rows.filter((row) => row.checks || row.qualification);
    replace(stock, known.length
      ? el("table", { id: "gold-stock" }, el("caption", {}, "Gold that may be asked"), el("thead", {}, el("tr", {}, ["Class", "In the queue", "In the entry test"].map((name, at) => el("th", { scope: "col", class: at ? "number" : null }, name)))),
        el("tbody", {}, known.map((row) => el("tr", {}, el("th", { scope: "row", text: byCode(row.label).name }), el("td", { class: "number", text: number(row.checks) }), el("td", { class: "number", text: number(row.qualification) })))))
      : el("p", { class: "hint", text: "There is no gold yet. Add a table, or let adjudicators settle some regions first." }));
  }

  async function add() {
    const [chosen] = file.files;
    if (!chosen) { complain(file, "Choose a file first."); file.focus(); return; }
    complain(file, "");
    await run(async () => post("gold/", { table: await chosen.text(), is_qualification: isTest.checked }));
  }

  const adopt = () => run(() => post("gold/adopt/", { count: Number(many.value) }));

  async function run(send) {
    try {
      const { changed, stock: rows } = await send();
      problem.hidden = true;
      draw(rows);
      say(`${count(changed, "region")} became gold.`);
    } catch (error) {
      tell(error);
    }
  }

  function tell(error) {
    problem.hidden = false;
    problem.textContent = error.message;
  }
}
