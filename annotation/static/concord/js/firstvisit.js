/**
 * The explanation a screen gives on the first visit, closed for good by a button and opened again by another.
 * Decides whether it is shown; refuses to know what it says: that stands in the template.
 *
 * Template: <section class="note first-visit" data-explains="queue" hidden>…<button type="button" class="small">
 */

import { put } from "./api.js";
import { boot, find } from "./dom.js";

/** Show the page's explanation where it was not closed before. */
export function explain() {
  const note = find("[data-explains]");
  if (!note) return;
  const closed = new Set(boot().preferences?.explained ?? []);
  note.hidden = closed.has(note.dataset.explains);
  find("button", note)?.addEventListener("click", async () => {
    note.hidden = true;
    find("h1")?.setAttribute("tabindex", "-1");
    find("h1")?.focus();
    closed.add(note.dataset.explains);
    await put("/api/me/preferences/", { explained: [...closed] }, { keepalive: true }).catch(() => {});
  });
}
