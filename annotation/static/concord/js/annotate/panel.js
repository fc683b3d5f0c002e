/**
 * The panel beside the picture: the classes with their keys, what is offered, the manager's note, comment and flag.
 * Decides how the question is laid out; refuses to answer it: it calls `onPick` with a code.
 */

import { label, swatch } from "../classes.js";
import { boot, el, find, replace, say } from "../dom.js";
import { hint, keysOf, readable } from "../keys.js";

const WORDS = { before: "You entered this before", suggestion: "Suggested" };

export class Panel {
  /** `onPick(code)` answers, `onEnter(content)` hears of each change of comment and flag. */
  constructor({ onPick, onEnter }) {
    this.comment = find("#comment");
    this.flag = find("#flag");
    this.onPick = onPick;
    this.onEnter = onEnter;
    this.offered = "";
    this.answer = null;
    this.comment.addEventListener("input", () => this.#entered());
    this.comment.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); this.comment.blur(); } });
    this.flag.addEventListener("click", () => this.toggleFlag());
    this.draw();
    document.addEventListener("concord:keys", () => this.draw());
  }

  /** The classes, each a button with its key. */
  draw() {
    replace(find("#classes"), boot().classes.map((one) => el("li", {},
      el("button", { type: "button", dataset: { class: one.code }, on: { click: () => this.onPick(one.code) } },
        el("span", { class: "keys" }, keysOf(`class.${one.code}`).map((chord) => el("kbd", { text: readable(chord) }))), swatch(one), el("span", { class: "name", text: one.name }), one.special && el("span", { class: "hint", text: "special" })))));
    replace(this.flag, "Flag ", hint("flag"));
    replace(find("#skip"), "Skip ", hint("skip"));
    replace(find("#guide-button"), "Guideline ", hint("guide"));
    replace(find("#undo"), "Undo ", hint("undo"));
  }

  /** The question about a lease: what was entered already, what is suggested, what a manager wrote. */
  show(lease) {
    this.put(lease?.entered);
    const before = lease?.entered?.answer?.label ?? "";
    this.offered = before || lease?.suggestion || "";
    const place = find("#offer");
    place.hidden = !this.offered;
    replace(place, this.offered && el("button", { type: "button", class: "offer", on: { click: () => this.onPick(this.offered) } },
      el("span", { text: `${WORDS[before ? "before" : "suggestion"]}:` }), label(this.offered), el("span", { text: "Accept" }), hint("accept")));
    const note = find("#note");
    note.hidden = !lease?.note;
    replace(note, lease?.note && [el("strong", { text: "Sent back to you: " }), el("span", { text: lease.note })]);
    const old = find("#old-answer");
    old.hidden = !lease?.before;
    replace(old, lease?.before && [el("strong", { text: `Your answer under version ${lease.before.protocol}: ` }), el("span", { text: lease.before.name })]);
  }

  /** Lay content into the fields. */
  put(content) {
    this.answer = content?.answer ?? null;
    this.comment.value = content?.comment ?? "";
    this.#press(Boolean(content?.flagged));
  }

  /** What is entered besides the class. */
  get content() {
    return { answer: this.answer, comment: this.comment.value.trim(), flagged: this.flag.getAttribute("aria-pressed") === "true" };
  }

  toggleFlag() {
    const on = this.flag.getAttribute("aria-pressed") !== "true";
    this.#press(on);
    say(on ? "Flagged." : "No longer flagged.");
    this.#entered();
  }

  /** Whether anything can be pressed: not while no region is shown. */
  set isActive(active) {
    for (const node of [this.comment, this.flag, find("#skip"), ...find("#classes").querySelectorAll("button")]) node.disabled = !active;
  }

  #press(on) { this.flag.setAttribute("aria-pressed", String(on)); }

  #entered() { this.onEnter(this.content); }
}
