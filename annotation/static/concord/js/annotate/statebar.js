/**
 * The bar at the bottom: saved or not, answers on their way, time left, today's count.
 * Decides the words; refuses to know how any of it came about.
 */

import { count, duration, el, find, number, replace } from "../dom.js";

const SOON_S = 120;

/** What was entered is saved, being saved, or not. `settle` offers the two ways out when another tab was first. */
export function showSaved({ word, text, settle = null }, choose) {
  const place = find("#saved");
  place.dataset.state = word;
  replace(place, el("span", { text }), settle && [
    el("button", { type: "button", class: "small", on: { click: () => choose(settle.mine()) } }, "Keep what is here"),
    el("button", { type: "button", class: "small", on: { click: () => choose(settle.theirs()) } }, "Take the other tab's"),
  ]);
}

/** Answers that the server does not have yet. */
export function showSending(outbox) {
  const many = outbox.waiting.length;
  const kept = outbox.isKept ? "kept here until they are sent" : "not kept if you close this page";
  const text = outbox.problem ? `Not sent: ${outbox.problem} ${count(many, "answer")} ${kept}.` : `Sending ${count(many, "answer")}…`;
  const place = find("#sending");
  place.dataset.state = outbox.problem ? "problem" : many ? "busy" : "";
  place.textContent = many ? text : "";
}

/** How long the region is kept for the person. */
export function showLease(worklist) {
  const place = find("#lease");
  const seconds = worklist.secondsLeft;
  if (!worklist.current) place.textContent = "";
  else if (seconds <= 0) place.textContent = "The time for this region is over: any key asks for it again.";
  else place.textContent = `Kept for you: ${seconds < SOON_S ? duration(Math.round(seconds / 10) * 10) : duration(seconds)}`;
  place.dataset.state = worklist.current && seconds < SOON_S ? "soon" : "";
}

export function showToday(many) {
  find("#today").textContent = `Today: ${number(many)}`;
}

export function showUndo(last) {
  find("#undo").disabled = !last;
}
