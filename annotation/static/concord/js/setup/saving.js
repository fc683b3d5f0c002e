/**
 * When what was typed is sent, and the word on the page about it.
 * Decides what "All saved" means: nothing that was typed waits any more. Refuses to know what is sent.
 */

import { find } from "../dom.js";

const waiting = new Set();

/** Call `run` a moment after the last call; `flush()` at once. Until then the page says that something is not saved yet. */
export function later(run, milliseconds = 700) {
  let timer = 0;
  const now = () => { clearTimeout(timer); timer = 0; waiting.delete(call); return run(); };
  function call() {
    clearTimeout(timer);
    timer = setTimeout(now, milliseconds);
    waiting.add(call);
    tellSaved();
  }
  return Object.assign(call, { flush: () => (timer ? now() : null) });
}

/** What was sent has arrived: all is saved, unless more was typed meanwhile. */
export const tellSaved = () => tell(waiting.size ? "Not saved yet" : "All saved");

/** The word about saving; `kind` "bad" where it failed. */
export function tell(text, kind = "") {
  const place = find("#saved");
  place.textContent = text;
  place.className = kind;
}
