/**
 * Shows what a release holds, or would hold: regions by class, split and domain, cases, sureness of the labels.
 * Decides how the counts are laid out; refuses to count anything itself.
 */

import { byCode, label } from "./classes.js";
import { el, number, percent } from "./dom.js";

const SPLITS = [["train", "Training"], ["validation", "Validation"], ["test", "Test"]];

/** The tables of one composition, as the API gives it. */
export function composition(counted) {
  return el("div", { class: "composition", role: "region", tabindex: "0", "aria-label": "Regions by class, domain and split" },
    bySplit("Regions by class", "Class", counted.classes, (one) => label(byCode(one.code)), (one) => one.quota),
    el("div", {},
      bySplit("Regions by domain", "Domain", counted.domains, (one) => one.domain),
      cases(counted), sureness(counted), leftOut(counted)));
}

function bySplit(title, head, rows, name, quota = null) {
  const heads = [head, ...SPLITS.map(([, said]) => said), "All", ...(quota ? ["Wanted"] : [])];
  return el("table", {},
    el("caption", { text: title }),
    el("thead", {}, el("tr", {}, heads.map((said, at) => el("th", { scope: "col", class: at ? "number" : null, text: said })))),
    el("tbody", {}, rows.map((one) => el("tr", {},
      el("th", { scope: "row" }, name(one)),
      SPLITS.map(([key]) => el("td", { class: "number", text: number(one[key]) })),
      el("td", { class: "number" }, el("strong", { text: number(one.all) })),
      quota && wanted(one.all, quota(one))))));
}

function wanted(all, quota) {
  if (!quota) return el("td", { class: "number", text: "–" });
  const short = all < quota;
  return el("td", { class: "number" }, short ? el("span", { class: "badge bad", text: `${number(quota)} (${number(quota - all)} short)` }) : number(quota));
}

function cases(counted) {
  const rows = [["Cases", counted.cases], ["Slides", counted.slides]];
  return el("table", {},
    el("caption", { text: "Cases and slides by split" }),
    el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "What" }), SPLITS.map(([, said]) => el("th", { scope: "col", class: "number", text: said })))),
    el("tbody", {}, rows.map(([said, of]) => el("tr", {}, el("th", { scope: "row", text: said }),
      SPLITS.map(([key]) => el("td", { class: "number", text: number(of[key]) }))))));
}

function sureness(counted) {
  const all = Object.values(counted.sureness).reduce((sum, one) => sum + one, 0);
  return el("table", {},
    el("caption", { text: "Soft labels: the consensus's probability of the label" }),
    el("thead", {}, el("tr", {}, ["Probability", "Regions", "Share"].map((said, at) => el("th", { scope: "col", class: at ? "number" : null, text: said })))),
    el("tbody", {}, Object.entries(counted.sureness).map(([said, many]) => el("tr", {},
      el("th", { scope: "row", text: said }), el("td", { class: "number", text: number(many) }),
      el("td", { class: "number", text: all ? percent(many / all, 0) : "–" })))));
}

function leftOut(counted) {
  const rows = Object.entries(counted.left_out).filter(([, many]) => many);
  if (!rows.length) return el("p", { class: "hint", text: "No region that somebody worked on is left out." });
  return el("table", {},
    el("caption", { text: "Left out" }),
    el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "Why" }), el("th", { scope: "col", class: "number", text: "Regions" }))),
    el("tbody", {}, rows.map(([said, many]) => el("tr", {}, el("th", { scope: "row", text: said }), el("td", { class: "number", text: number(many) })))));
}
