/**
 * Asks why a region is passed over: a digit takes a usual reason, own words do as well.
 * Decides which reasons are offered; refuses to skip: it gives the reason, or null.
 */

import { el } from "../dom.js";

const USUAL = ["Out of focus", "Artefact, dirt or stain", "Too little of it is in view", "I can't tell: beyond my knowledge"];

/** Resolves to the reason, or null when the question was closed. */
export function askReason() {
  return new Promise((resolve) => {
    const own = el("input", { type: "text", id: "skip-reason", maxlength: 200, autocomplete: "off" });
    const done = (reason) => { dialog.returnValue = ""; chosen = reason; dialog.close(); };
    let chosen = null;
    const usual = USUAL.map((reason, at) => el("li", {}, el("button", { type: "button", on: { click: () => done(reason) } }, el("kbd", { text: at + 1 }), ` ${reason}`)));
    const form = el("form", { method: "dialog", on: { submit: (event) => { event.preventDefault(); if (own.value.trim()) done(own.value.trim()); } } },
      el("h2", { id: "skip-title", text: "Why do you skip this region?" }),
      el("p", { class: "hint", text: "It goes back for others, and you will not be asked about it again." }),
      el("ol", { class: "reasons" }, usual),
      el("div", { class: "field" }, el("label", { for: "skip-reason", text: "Or in your own words" }), own),
      el("div", { class: "buttons" },
        el("button", { type: "submit", class: "primary" }, "Skip"),
        el("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, "Cancel")));
    const dialog = el("dialog", { class: "ask", "aria-labelledby": "skip-title" }, form);
    dialog.addEventListener("keydown", (event) => {
      const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code ?? "")?.[1];
      if (!digit || event.target === own || event.isComposing || !USUAL[digit - 1]) return;
      event.preventDefault();
      done(USUAL[digit - 1]);
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(chosen); });
    document.body.append(dialog);
    dialog.showModal();
    usual[0].firstChild.focus();
  });
}
