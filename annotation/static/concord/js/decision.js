/**
 * The form of a decision: a class, the reason (required, with the last ones offered), a flag.
 * Decides when a decision is complete; refuses to know where it goes.
 */

import { swatch } from "./classes.js";
import { boot, el, find, findAll, replace, say } from "./dom.js";
import { hint } from "./keys.js";

export class Decision {
  #file = null;
  #letters = new Map();
  #back = -1;

  /** `actions`: [[key id, words, run], …] beside the button that sends. */
  constructor({ onSend, onChange, onLeave, actions }) {
    Object.assign(this, { onSend, onChange, onLeave, actions });
    this.element = el("form", { class: "decision panel", "aria-labelledby": "decision-title", on: { submit: (event) => this.#submitted(event) } });
    this.element.noValidate = true;
    this.element.addEventListener("input", () => this.#changed());
    document.addEventListener("concord:keys", () => this.#file && this.start({ file: this.#file, before: this.value }));
  }

  /** A clean form for this case, or one with what had been entered `before`. */
  start({ file, before }) {
    this.#file = file;
    this.#back = -1;
    this.#letters = new Map(file.opinions.map((one) => [one.name, one.answer.label]));
    replace(this.element,
      el("h2", { id: "decision-title", text: "Your decision" }),
      this.#classes(file),
      this.#reason(file),
      el("p", { class: "field checkbox" }, el("input", { type: "checkbox", id: "flag" }), el("label", { for: "flag" }, "Flag the region ", hint("flag"))),
      el("p", { class: "problem", role: "alert" }),
      el("div", { class: "buttons" },
        el("button", { type: "submit", class: "primary" }, "Decide ", hint("send")),
        this.actions.map(([key, words, run]) => el("button", { type: "button", class: "quiet", on: { click: run } }, `${words} `, hint(key)))),
      el("p", { class: "hint saved" }));
    if (before) this.#fill(before);
  }

  get value() {
    const chosen = find("input[name=class]:checked", this.element);
    return { label: chosen?.value ?? "", reason: find("#reason", this.element).value.trim(), flagged: find("#flag", this.element).checked };
  }

  has(letter) { return this.#letters.has(letter); }

  take(letter) { this.choose(this.#letters.get(letter)); }

  /** Choose a class and go on to the reason. */
  choose(code) {
    const radio = findAll("input[name=class]", this.element).find((one) => one.value === code);
    if (!radio) {
      this.warn("The protocol in force has no such class any more: choose another one.");
      return;
    }
    radio.checked = true;
    say(`${radio.dataset.name}. Now the reason.`);
    this.writeReason();
    this.#changed();
  }

  writeReason() { find("#reason", this.element).focus(); }

  flag() {
    const box = find("#flag", this.element);
    box.checked = !box.checked;
    say(box.checked ? "Flagged." : "No longer flagged.");
    this.#changed();
  }

  send() { this.element.requestSubmit(); }

  saved(text) { find(".saved", this.element).textContent = text; }

  /** What is wrong, with a way on: {label, run}. */
  warn(text, action = null) {
    replace(find(".problem", this.element), text,
      action && el("button", { type: "button", class: "small", on: { click: action.run } }, action.label));
  }

  #classes({ opinions }) {
    const said = (code) => opinions.filter((one) => one.answer.label === code).map((one) => one.name).join(", ");
    return el("fieldset", { class: "classes" }, el("legend", { text: "Class" }),
      (boot().classes ?? []).map((cls) => el("label", { class: "choice" },
        el("input", { type: "radio", name: "class", value: cls.code, dataset: { name: cls.name } }),
        swatch(cls), el("span", { class: "name" }, cls.name, said(cls.code) && el("span", { class: "hint", text: `said by ${said(cls.code)}` })),
        hint(`class.${cls.code}`))));
  }

  #reason({ reasons }) {
    const field = el("input", { id: "reason", type: "text", required: true, maxlength: 2000, autocomplete: "off", "aria-describedby": "reason-hint",
      on: { keydown: (event) => this.#leaf(event, reasons) } });
    return el("div", { class: "field" },
      el("label", { for: "reason" }, "Reason ", hint("reason")), field,
      el("p", { class: "hint", id: "reason-hint", text: "Kept in the history for good: name nobody. Arrow up brings your last reasons, Esc leaves the field." }),
      reasons.length > 0 && el("ul", { class: "recent", "aria-label": "Your last reasons" }, reasons.map((text) => el("li", {},
        el("button", { type: "button", class: "small quiet", on: { click: () => { field.value = text; field.focus(); this.#changed(); } } }, text)))));
  }

  /** Arrow up and down in the reason leaf through the last ones, as in a shell. */
  #leaf(event, reasons) {
    if (event.key === "Escape") this.onLeave();
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step || !reasons.length || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    this.#back = Math.min(reasons.length - 1, Math.max(-1, this.#back + step));
    event.target.value = reasons[this.#back] ?? "";
    this.#changed();
  }

  #fill({ label: code, reason, flagged }) {
    const radio = findAll("input[name=class]", this.element).find((one) => one.value === code);
    if (radio) radio.checked = true;
    find("#reason", this.element).value = reason;
    find("#flag", this.element).checked = flagged;
  }

  #changed() {
    this.warn("");
    this.onChange(this.value);
  }

  #submitted(event) {
    event.preventDefault();
    const value = this.value;
    if (!value.label) this.warn("Choose a class first: by its key, or by the letter of an answer.");
    else if (!value.reason) {
      this.warn("Say why: the reason goes into the history.");
      this.writeReason();
    } else this.#sendOnce(value);
  }

  async #sendOnce(value) {
    const button = find("button[type=submit]", this.element);
    if (button.disabled) return;
    button.disabled = true;
    try {
      await this.onSend(value);
    } finally {
      button.disabled = false;
    }
  }
}
