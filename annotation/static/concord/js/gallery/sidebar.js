/**
 * The classes with their keys and counts, the cells that were not taken, and the line at the bottom that tells where one is.
 * Decides the words; refuses to label, send or let go: it calls what it was given.
 */

import { byCode, swatch } from "../classes.js";
import { boot, count, duration, el, find, number, replace } from "../dom.js";
import { hint } from "../keys.js";
import { isReady, OPEN, REFUSED } from "./cell.js";

/** The classes as buttons; `onPick(code)`. */
export function drawClasses(onPick) {
  replace(find("#classes"), boot().classes.map((one) => el("li", {},
    el("button", { type: "button", title: one.definition, on: { click: () => onPick(one.code) } },
      hint(`class.${one.code}`), swatch(one), el("span", { class: "name", text: one.name }), el("span", { class: "gallery-count", dataset: { counts: one.code } })))));
  for (const [id, words] of Object.entries({ look: "Surroundings", flag: "Flag", comment: "Comment", skip: "Skip", guide: "Guideline" })) {
    replace(find(id === "guide" ? "#guide-button" : `#${id}`), `${words} `, hint(id));
  }
}

/** How many are labelled, left, on their way; how long they are held. */
export function drawState({ cells, grid, sender, holding, lastAction }) {
  const ready = cells.filter((cell) => isReady(cell) && !cell.isLost).length;
  const open = cells.filter((cell) => cell.state === OPEN && !cell.label).length;
  const chosen = grid.selected.length;
  find("#send").disabled = ready === 0;
  replace(find("#send"), ready ? `Send ${number(ready)} ` : "Send ", hint("send"));
  find("#undo").disabled = !lastAction;
  replace(find("#undo"), lastAction ? `Undo ${lastAction} ` : "Undo ", hint("undo"));
  find("#give-back").hidden = cells.every((cell) => cell.state !== OPEN);
  replace(find("#summary"),
    el("strong", { text: `${number(ready)} labelled, not sent` }), ` · ${number(open)} without a label`,
    chosen ? ` · ${number(chosen)} selected` : null);
  const waits = sender.waiting;
  find("#sending").dataset.state = sender.problem ? "problem" : "";
  replace(find("#sending"), waits ? `Sending: ${count(waits, "answer")} to go. ${sender.problem}` : "");
  find("#held").dataset.state = holding.isSoon ? "soon" : "";
  replace(find("#held"), cells.length && holding.secondsLeft ? `Held for ${duration(holding.secondsLeft)}` : "");
  for (const node of document.querySelectorAll("[data-counts]")) {
    const many = cells.filter((cell) => cell.label === node.dataset.counts).length;
    node.textContent = many ? number(many) : "";
  }
}

/** The cells that were not taken, each with its reason; what was entered is still there. */
export function drawRefused(cells, { onGo, onLetGo }) {
  const refused = cells.filter((cell) => cell.state === REFUSED);
  const place = find("#refused");
  // The button in it may have the focus: drawn again only when something has changed.
  const content = JSON.stringify(refused.map((cell) => [cell.token, cell.label, cell.problem]));
  if (place.dataset.content === content) return;
  place.dataset.content = content;
  place.hidden = !refused.length;
  if (!refused.length) { replace(place); return; }
  replace(place,
    el("h2", { id: "refused-title", text: `${count(refused.length, "cell")} not taken` }),
    el("ul", {}, refused.map((cell) => el("li", {},
      el("button", { type: "button", class: "quiet small", on: { click: () => onGo(cell) } },
        el("img", { src: cell.region.thumbnail, alt: "", width: 32, height: 32 }), swatch(cell.label), el("span", { text: byCode(cell.label).name })),
      el("p", { class: "why", text: cell.problem })))),
    el("button", { type: "button", class: "small", on: { click: () => onLetGo(refused) } }, "Take these off the board"));
}
