/**
 * What publishing the draft would do, in numbers and one sentence each.
 * Decides wording; the counting is the server's.
 */

import { count, duration, el, number, replace } from "../dom.js";
import { sentences } from "../setup/fields.js";

/** The facts in sentences, those that cost something first. */
export function told(found) {
  const hours = found.hours === null ? "" : `, about ${duration(found.hours * 3600)} of work`;
  return [
    `${count(found.queued, "region")} must be seen again: ${count(found.opinions, "answer")} at least${hours}.`,
    found.queued_audit && `${number(found.queued_audit)} of them are in the audit sample, and come first.`,
    `${count(found.truths[0], "truth holds", "truths hold")}${found.rewritten ? `, ${number(found.rewritten)} of them under another name` : ""}.`,
    `${count(found.answers[0], "answer")} hold, ${number(found.answers[1])} no longer do. None is lost: the history keeps them all.`,
    found.withdrawn_picks && `${count(found.withdrawn_picks, "queued region")} that nobody has begun go back to the pool.`,
    found.leases && `${count(found.leases, "region is", "regions are")} being looked at now: their annotators are told, and keep what they have entered.`,
  ].filter(Boolean);
}

/** Draw the impact into `element`. */
export function drawImpact(element, found) {
  const total = Math.max(1, found.truths[0] + found.truths[1]);
  const share = (100 * found.truths[0]) / total;
  replace(element,
    el("h3", { text: "What publishing would do" }),
    el("div", { class: "impact-sum", role: "img", "aria-label": `${number(found.truths[0])} of ${number(total)} truths hold, ${number(found.truths[1])} must be seen again` },
      el("span", { class: "impact-bar holds", style: { "--share": `${share}%` } })),
    el("ul", { class: "checks", id: "impact-facts" }, told(found).map((text) => el("li", {}, el("span", { text })))),
    found.notes.length > 0 && el("ul", { class: "checks", id: "impact-notes" }, sentences(found.notes, "warn", "!")));
}
