/**
 * The classes may change while a page is open: the page says so, keeps what was entered, and loads them.
 * Decides when a page is out of date; refuses to know what it shows.
 */

import { get } from "./api.js";
import { ask, boot, el } from "./dom.js";

let following = null;

/** The version whose classes this page shows: it goes with every answer. */
export const version = () => boot().protocol || null;

/** Follow the study to version `number`; `keep` saves what is entered first. Nothing where the page shows it already. */
export function follow(number, keep = async () => {}) {
  if (!number || number === boot().protocol) return following;
  following ??= load(number, keep);
  return following;
}

async function load(number, keep) {
  await keep().catch(() => {});
  const { protocol } = await get("").catch(() => ({}));
  const body = el("div", {},
    el("p", { text: `This study has new classes: version ${protocol?.number ?? number}. What you have entered is kept, and answers on their way still count where their class goes on.` }),
    protocol?.summary && el("p", { class: "note", text: protocol.summary }));
  await ask({ title: "The classes have changed", body, confirm: "Load the new classes", cancel: null });
  location.reload();
}
