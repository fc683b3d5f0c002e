/**
 * History of a region: the timeline, what stood at a moment, two revisions side by side, and what can be done.
 * Decides which moment is looked at (it stands in the address); what stood then, the server says.
 */

import { get } from "../api.js";
import { boot, el, find, replace, say } from "../dom.js";
import { Acts } from "../history/acts.js";
import { Comparison } from "../history/comparison.js";
import { when } from "../history/moments.js";
import { standing } from "../history/standing.js";
import { timeline } from "../history/timeline.js";
import { hint, register } from "../keys.js";
import { RegionViewer } from "../regionviewer.js";

const { region } = boot();
const page = find("#history");
const path = `regions/${region.id}/history/`;

let history = null;
let moment = null;
let asked = 0;

const slider = el("input", { type: "range", id: "as-of", min: 0, step: 1, on: { input: () => look(moments()[slider.value]) } });
const now = el("button", { type: "button", class: "small", on: { click: () => look(null) } }, "Now");
const said = el("p", { class: "moment", "aria-live": "polite" });
const parts = { standing: el("div", {}), timeline: el("div", {}) };
const comparison = new Comparison();
const acts = new Acts({ region, onDone: refresh });

/** The history as of `moment`; null: now. */
async function read() {
  const turn = ++asked;
  const found = await get(moment ? `${path}?as_of=${encodeURIComponent(moment)}` : path);
  if (turn !== asked) return;
  history = found;
  draw();
}

/** Look at another moment; it goes into the address, so that it can be sent on. */
async function look(at) {
  moment = at;
  const url = new URL(location.href);
  if (at) url.searchParams.set("as_of", at);
  else url.searchParams.delete("as_of");
  window.history.replaceState(null, "", url);
  try {
    await read();
    say(parts.standing.innerText);
  } catch (error) {
    showTrouble(error);
  }
}

async function refresh(text) {
  moment = null;
  await look(null);
  say(text);
}

/** The times at which something happened; an answer and the revision it brought share one. */
const moments = () => [...new Set(history.events.map((event) => event.at))];

/** How many of these times had come by then, less one: the place of the last. */
function place(times) {
  const at = moment ? new Date(moment) : null;
  return (at ? times.filter((time) => new Date(time) <= at).length : times.length) - 1;
}

function draw() {
  const times = moments();
  const at = place(times);
  slider.max = Math.max(times.length - 1, 0);
  slider.value = Math.max(at, 0);
  slider.disabled = times.length < 2;
  const event = history.events.findLast((one) => one.at === times[at]);
  const words = !moment ? "Now." : event ? `${when(moment)}, after: ${event.title}.` : `${when(moment)}, before anything happened.`;
  slider.setAttribute("aria-valuetext", words);
  said.textContent = words;
  now.disabled = !moment;
  replace(parts.standing, standing(history, { isPast: Boolean(moment) }));
  replace(parts.timeline, timeline(history, { upto: moment ? times[at] ?? "" : null, look, restore: (number) => acts.restore(number, history) }));
  comparison.show(history.revisions);
  acts.show(history);
}

function build() {
  const stage = el("div", { class: "stage" });
  replace(page, el("div", { class: "history" },
    el("div", { class: "looking" },
      stage,
      el("section", { class: "panel", "aria-labelledby": "acts-title" }, el("h2", { id: "acts-title", text: "What you can do" }), acts.element)),
    el("div", { class: "telling" },
      el("section", { class: "panel", "aria-labelledby": "standing-title" },
        el("div", { class: "as-of" }, el("label", { for: "as-of" }, "As of ", hint("earlier"), " ", hint("later")), slider, now), said,
        parts.standing),
      el("section", { "aria-labelledby": "timeline-title" }, el("h2", { id: "timeline-title", text: "What happened" }), parts.timeline),
      comparison.element)));
  const viewer = new RegionViewer(stage, { label: "The region. The arrow keys move the view, plus and minus zoom." });
  register(viewer.bindings().map((one) => ({ ...one, when: (event) => !event.target.matches?.("input, select") })));
  viewer.show(region).catch((error) => replace(stage, el("p", { class: "note bad", text: error.message })));
}

function showTrouble(error) {
  replace(page, el("section", { class: "note bad" }, el("p", { text: error.message }),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "primary", on: { click: () => location.reload() } }, "Try again"))));
  say(error.message, { assertive: true });
}

function step(by) {
  const times = moments();
  const target = times[Math.min(times.length - 1, Math.max(0, place(times) + by))];
  if (target) look(target);
}

async function start() {
  moment = new URL(location.href).searchParams.get("as_of");
  if (moment && Number.isNaN(Date.parse(moment))) moment = null;
  try {
    const found = await get(moment ? `${path}?as_of=${encodeURIComponent(moment)}` : path);
    history = found;
    build();
    await acts.learn();
    draw();
  } catch (error) {
    showTrouble(error);
  } finally {
    page.removeAttribute("aria-busy");
  }
}

register([
  { id: "earlier", keys: ["p"], label: "One event earlier", group: "As of", when: () => Boolean(history), run: () => step(-1), repeat: true },
  { id: "later", keys: ["n"], label: "One event later", group: "As of", when: () => Boolean(history), run: () => step(1), repeat: true },
]);
start();
