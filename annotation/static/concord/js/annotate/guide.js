/**
 * The guideline: what the protocol says of each class, with its examples, beside the picture.
 * Decides which class it opens at; refuses to fetch a picture before it is opened. Answering goes on while it is open.
 */

import { get } from "../api.js";
import { label } from "../classes.js";
import { boot, el, find, replace } from "../dom.js";
import { sharpUrl } from "../regionimage.js";

export class Guide {
  #cameFrom = null;
  #examples = null;

  /** In `element`, opened and closed by `button` too. */
  constructor(element, { button }) {
    Object.assign(this, { element, button });
    this.heading = el("h2", { tabindex: "-1", text: "Guideline" });
    this.body = el("div", { class: "guide-body" });
    const close = el("button", { type: "button", class: "quiet small", on: { click: () => this.close() } }, "Close");
    replace(element, el("div", { class: "guide-head" }, this.heading, close), this.body);
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.close();
    });
  }

  get isOpen() { return !this.element.hidden; }

  /** Open it, at the class of this code where one is named; closed again by the same key. */
  toggle(code = "") {
    if (this.isOpen) this.close();
    else this.open(code);
  }

  open(code = "") {
    this.#cameFrom = document.activeElement;
    this.#show(true);
    this.#draw();
    const target = code && find(`[data-class="${CSS.escape(code)}"] h3`, this.body);
    (target || this.heading).focus();
    if (!this.#examples) this.#load();
  }

  close() {
    this.#show(false);
    if (this.#cameFrom?.isConnected) this.#cameFrom.focus();
    this.#cameFrom = null;
  }

  #show(isOpen) {
    this.element.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
  }

  async #load() {
    try {
      this.#examples = await get("examples/");
    } catch (error) {
      this.body.append(el("p", { class: "problem", text: `The examples could not be loaded. ${error.message}` }));
      return;
    }
    const focused = document.activeElement?.closest?.("[data-class]")?.dataset.class;
    this.#draw();
    if (focused) find(`[data-class="${CSS.escape(focused)}"] h3`, this.body)?.focus();
  }

  #draw() {
    const text = boot().guideline;
    replace(this.body,
      text ? text.split(/\n\s*\n/).map((part) => el("p", { text: part })) : el("p", { class: "hint", text: "The protocol has no text beyond the classes." }),
      boot().classes.map((one) => this.#section(one)));
  }

  #section(one) {
    const shown = (this.#examples ?? []).filter((example) => example.label === one.code);
    return el("section", { dataset: { class: one.code } },
      el("h3", { tabindex: "-1" }, label(one)),
      el("p", { text: one.definition || "No definition was written for this class." }),
      shown.length > 0 && el("ul", { class: "examples" }, shown.map((example) => picture(one, example))));
  }
}

function picture(one, { region, caption }) {
  const alt = `Example of ${one.name}`;
  return el("li", {}, el("figure", {},
    el("img", { src: sharpUrl(region), alt, loading: "lazy", width: 120, height: Math.round((120 * region.height) / region.width) }),
    caption && el("figcaption", { text: caption })));
}
