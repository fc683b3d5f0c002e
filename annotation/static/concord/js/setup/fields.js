/**
 * Labelled inputs of the set-up, and what is said when one of them does not hold.
 * Decides their markup; refuses to know what they mean.
 */

import { el, find } from "../dom.js";

/** An input with its label, hint and room for a problem. `input` needs an id. */
export function field(label, input, { hint = "", wide = false } = {}) {
  const hintId = `${input.id}-hint`;
  if (hint) input.setAttribute("aria-describedby", hintId);
  const isBox = input.type === "checkbox";
  const name = el("label", { for: input.id, text: label });
  return el("div", { class: `field ${isBox ? "checkbox" : ""} ${wide ? "wide" : ""}` },
    isBox ? [input, name] : [name, input],
    hint && el("p", { class: "hint", id: hintId, text: hint }));
}

/** Say at an input what is wrong with it; "" takes it back. */
export function complain(input, text) {
  const id = `${input.id}-problem`;
  let place = document.getElementById(id);
  if (!place && text) {
    place = el("p", { class: "problem", id });
    (input.closest(".field") ?? input.parentNode).append(place);
  }
  if (place) place.textContent = text;
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((one) => one && one !== id);
  input.setAttribute("aria-describedby", [...others, ...(text ? [id] : [])].join(" "));
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** A list of sentences with a mark each: `kind` "bad", "warn" or "good". */
export function sentences(list, kind, mark) {
  return list.map((text) => el("li", {}, el("span", { class: `badge ${kind}`, "aria-hidden": "true" }, mark), el("span", { text })));
}

/** The heading of a step, with why it is fixed. */
export function heading(step) {
  return [
    el("h2", { id: "step-title", tabindex: "-1", text: step.title }),
    step.fixed && el("p", { class: "note", id: "fixed", text: step.fixed }),
  ];
}

/** Switch every control below `root` off: the step is fixed. */
export function freeze(root) {
  for (const one of root.querySelectorAll("input, textarea, select, button")) one.disabled = true;
}

/** Keep the focus on the control of this id when its surroundings are drawn again. */
export function keepFocus(draw) {
  const { id } = document.activeElement ?? {};
  draw();
  if (id) find(`#${CSS.escape(id)}`)?.focus();
}
