/**
 * Draws what happened to a region as an ordered list.
 * Decides how an event looks and which moments lie after the one looked at; refuses to change anything.
 */

import { byCode, label } from "../classes.js";
import { el } from "../dom.js";
import { time } from "./moments.js";

const SIGNS = { pick: "Q", answer: "A", withdrawal: "W", skip: "S", finding: "F", revision: "R" };
const WORDS = { pick: "queue", answer: "answer", withdrawal: "withdrawal", skip: "skip", finding: "finding", revision: "revision" };

/** `upto`: the time of the last event that had happened, null for all; `look(moment)` and `restore(number)` are what its buttons do. */
export function timeline(history, { upto, look, restore }) {
  if (!history.events.length) {
    return el("div", { class: "empty" }, el("p", { text: "Nothing has happened yet: the region waits in the pool until a batch picks it." }));
  }
  const last = history.revisions.at(-1)?.number;
  return [
    history.is_cut && el("p", { class: "note warn", text: "There is more than is shown here: only the first 300 events of each kind." }),
    el("ol", { class: "timeline" }, history.events.map((event) => item(event, {
      isLater: upto !== null && (upto === "" || new Date(event.at) > new Date(upto)), look,
      restore: event.revision && event.revision !== last && canStand(history, event.revision) ? restore : null,
    }))),
  ];
}

/** Whether a revision says something that could be restored. */
function canStand(history, number) {
  const revision = history.revisions.find((one) => one.number === number);
  return Boolean(revision?.is_settled || revision?.is_excluded);
}

function item(event, { isLater, look, restore }) {
  return el("li", { class: `event ${event.kind} ${isLater ? "later" : ""}`, dataset: { revision: event.revision ?? "" } },
    el("span", { class: "sign", "aria-hidden": "true", text: SIGNS[event.kind] }),
    el("div", { class: "what" },
      el("h3", {}, event.title, " ", isLater && el("span", { class: "badge", text: "later" })),
      el("p", { class: "hint" }, el("span", { class: "visually-hidden", text: `${WORDS[event.kind]}, ` }), time(event.at)),
      event.label && el("p", {}, label(event.label)),
      changes(event.changes),
      event.text && el("blockquote", { text: event.text }),
      event.details.map((text) => el("p", { class: "hint", text }))),
    el("div", { class: "acts" },
      el("button", { type: "button", class: "small quiet", on: { click: () => look(event.at) } }, "As of here", unseen(`: ${event.title}`)),
      restore && el("button", { type: "button", class: "small", on: { click: () => restore(event.revision) } }, "Restore…", unseen(` revision ${event.revision}`))));
}

const unseen = (text) => el("span", { class: "visually-hidden", text });

function changes(list) {
  if (!list.length) return null;
  const named = (what, value) => (what === "class" && value ? byCode(value).name : value);
  return el("ul", { class: "changes" }, list.map(({ what, before, after }) => el("li", {},
    el("span", { class: "of", text: what }), " ",
    before && el("del", { text: named(what, before) }), before && " → ",
    after ? el("ins", { text: named(what, after) }) : el("span", { text: "none" }))));
}
