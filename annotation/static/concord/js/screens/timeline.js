/**
 * The timeline of a study: entries in words, two moments compared, a person's sessions, anchors.
 * Decides what is drawn anew after something was written; what stood and what may go back, the server says.
 */

import { el, find, replace, say } from "../dom.js";
import { register } from "../keys.js";
import { Anchors } from "../ledger/anchors.js";
import { Entries } from "../ledger/entries.js";
import { Moments } from "../ledger/moments.js";
import { People } from "../ledger/people.js";

const body = (name) => find(`#${name} .body`);
const moments = new Moments(body("moments"));
const entries = new Entries(body("entries"), { compare: (since, until) => moments.pick(since, until), onDone: refresh });
const people = new People(body("people"), { onDone: refresh });
const anchors = new Anchors(body("anchors"));

async function load(name, part) {
  const section = find(`#${name}`);
  section.setAttribute("aria-busy", "true");
  try {
    await part.load();
  } catch (error) {
    replace(body(name), el("p", { class: "note bad", text: error.message }));
    say(error.message, { assertive: true });
  } finally {
    section.removeAttribute("aria-busy");
  }
}

async function refresh() {
  await Promise.all([load("entries", entries), load("moments", moments), load("people", people)]);
}

register([
  { id: "newest", keys: ["r"], label: "Read the newest entries", run: refresh },
  { id: "moments", keys: ["m"], label: "To the two moments", run: () => find("#since")?.focus() },
]);
refresh();
load("anchors", anchors);
