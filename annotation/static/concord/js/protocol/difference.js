/**
 * What differs between two versions: classes that came, went or changed, and the guideline line by line.
 * Decides how a difference is shown; finding it is the server's.
 */

import { get } from "../api.js";
import { count, el, replace, say } from "../dom.js";

const SIGNS = { "+": "added", "-": "removed", " ": "kept" };

/** Fetch and draw the difference between versions `before` and `after`. */
export async function drawDifference(element, before, after) {
  const found = await get(`protocols/compare/?before=${before}&after=${after}`);
  const lines = found.guideline.filter((one) => one.sign !== " ");
  const isSame = !(found.added.length || found.removed.length || found.changed.length || lines.length);
  const list = (title, rows) => rows.length > 0 && [el("h3", { text: title }), el("ul", { class: "version-list" }, rows)];
  replace(element, isSame ? el("p", { class: "empty", text: `Versions ${before} and ${after} say the same.` }) : [
    list("Came", found.added.map((one) => el("li", {}, el("strong", { text: one.name }), ` (${one.code}) ${one.definition}`))),
    list("Went", found.removed.map((one) => el("li", {}, el("strong", { text: one.name }), ` (${one.code})`))),
    list("Changed", found.changed.map((one) => el("li", {}, el("strong", { text: one.name }),
      el("ul", {}, one.changes.map((change) => el("li", {}, `${change.field}: `, el("del", { text: change.before }), " → ", el("ins", { text: change.after }))))))),
    lines.length > 0 && [el("h3", { text: "Guideline" }), el("ul", { class: "version-list lines" }, found.guideline.map(line))],
  ].flat());
  say(isSame ? "No difference." : `${count(found.added.length, "class", "classes")} came, ${found.removed.length} went, ${found.changed.length} changed.`);
}

function line({ sign, text }) {
  const kind = SIGNS[sign];
  const words = sign === "+" ? el("ins", { text }) : sign === "-" ? el("del", { text }) : el("span", { text });
  return el("li", { class: kind }, el("span", { class: "sign", "aria-hidden": "true", text: sign }), sign !== " " && el("span", { class: "visually-hidden", text: `${kind}: ` }), words);
}
