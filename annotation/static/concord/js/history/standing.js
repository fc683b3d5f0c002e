/**
 * Draws what stood at a moment: the revision in force, its posterior, and the answers that counted.
 * Decides nothing: the server said what stood.
 */

import { label } from "../classes.js";
import { count, el, percent } from "../dom.js";
import { bars } from "../posterior.js";

export function standing(history, { isPast }) {
  const { standing: revision, answers } = history;
  return [
    el("h2", { id: "standing-title", text: isPast ? "What stood then" : "What stands" }),
    el("p", { class: "truth" }, verdict(revision)),
    revision && el("p", { class: "hint", text: rests(revision) }),
    posterior(revision),
    answers.length > 0 && el("table", { class: "given" }, el("caption", { text: isPast ? "Answers that counted then" : "Answers that count" }),
      el("thead", {}, el("tr", {}, ["Who", "Class", "Protocol"].map((text) => el("th", { scope: "col", text })))),
      el("tbody", {}, answers.map((one) => el("tr", {},
        el("th", { scope: "row" }, one.annotator, one.is_adjudication && [" ", el("span", { class: "badge info", text: "adjudicator" })]),
        el("td", {}, label(one.label)), el("td", { text: `version ${one.protocol}` }))))),
  ];
}

function verdict(revision) {
  if (!revision) return el("strong", { text: "Undecided" });
  if (revision.is_excluded) return el("strong", { text: "Left out of the dataset" });
  if (!revision.is_settled) return el("strong", { text: "Open: people are being asked" });
  return [label(revision.label), revision.confidence !== null && el("span", { class: "badge info", text: `confidence ${percent(revision.confidence)}` })];
}

function rests(revision) {
  const parts = [`Revision ${revision.number}: ${revision.source}`, `protocol ${revision.protocol}`];
  if (revision.answers) parts.push(`from ${count(revision.answers, "answer")}`);
  if (revision.snapshot) parts.push(`reliability snapshot ${revision.snapshot}`);
  if (revision.actor) parts.push(`by ${revision.actor}`);
  return `${parts.join(", ")}.`;
}

function posterior(revision) {
  if (!revision?.is_settled) return null;
  const chances = Object.entries(revision.posterior).map(([code, probability]) => ({ code, probability }));
  if (chances.length) return bars(chances, { caption: "Posterior" });
  return el("p", { class: "hint", text: "A person decided: there is no posterior." });
}
