/**
 * The explanation a screen gives on the first visit: closed for good by its button, opened again by the one beside Keys.
 * Decides whether it is shown; refuses to know what it says: that stands in the template.
 *
 * Template: <section class="note first-visit" data-explains="queue" hidden>…<button type="button" class="small">
 */

import { put } from "./api.js";
import { boot, find } from "./dom.js";

/** Show the page's explanation where it was not closed before, and let it be opened again. */
export function explain() {
  const note = find("[data-explains]");
  const about = find("#about-button");
  if (!note || !about) return;
  const closed = new Set(boot().preferences?.explained ?? []);
  const show = (isOpen) => {
    note.hidden = !isOpen;
    about.setAttribute("aria-expanded", String(isOpen));
  };
  const remember = () => put("/api/me/preferences/", { explained: [...closed] }, { keepalive: true }).catch(() => {});
  show(!closed.has(note.dataset.explains));
  about.hidden = false;
  about.addEventListener("click", () => {
    show(note.hidden);
    if (!note.hidden) find("button", note).focus();
  });
  find("button", note).addEventListener("click", async () => {
    show(false);
    find("h1")?.setAttribute("tabindex", "-1");
    find("h1")?.focus();
    closed.add(note.dataset.explains);
    await remember();
  });
}
