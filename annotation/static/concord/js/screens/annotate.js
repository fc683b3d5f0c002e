/**
 * Annotate: a key answers, the next region is there. Joins the picture, the question, the leases and the outbox.
 * Decides what follows what; each part decides the rest for itself.
 */

import { Autosave } from "../annotate/autosave.js";
import { Guide } from "../annotate/guide.js";
import { Panel } from "../annotate/panel.js";
import { askReason } from "../annotate/skipping.js";
import * as bar from "../annotate/statebar.js";
import { Stopwatch } from "../annotate/stopwatch.js";
import { teach } from "../annotate/taught.js";
import { drawTray } from "../annotate/tray.js";
import { Worklist } from "../annotate/worklist.js";
import { get, post } from "../api.js";
import { byCode, classKeys } from "../classes.js";
import { boot, el, find, replace, say, toast } from "../dom.js";
import { register } from "../keys.js";
import { follow, version } from "../newclasses.js";
import { freshKey, Outbox } from "../outbox.js";
import { RegionViewer } from "../regionviewer.js";

const AHEAD = 4;
const LOOK_AGAIN_MS = 15_000;
const MEASURE = "concord:next-region";

const outbox = new Outbox(boot().person);
const worklist = new Worklist({ ahead: AHEAD, unsent: () => outbox.waiting.length });
const viewer = new RegionViewer(find("#viewer"), { label: "Region", toneName: `tone.${boot().person}` });
const guide = new Guide(find("#guide"), { button: find("#guide-button") });
const stopwatch = new Stopwatch();
const autosave = new Autosave((state) => {
  bar.showSaved(state, (chosen) => panel.put(chosen));
  if (state.lost) loseCurrent();
});
const panel = new Panel({ onPick: (code) => answer(code), onEnter: (content) => autosave.change(content) });

let last = null; // what Undo takes back: {key, token, lease}
let today = 0;
let shown = 0;
let timer = 0;

// --- One region after the other ---------------------------------------------------------------------------------

async function next({ since = null, said = "" } = {}) {
  clearTimeout(timer);
  let lease = worklist.current;
  if (!lease) {
    viewer.clear();
    panel.show(null);
    panel.isActive = false;
    await claim();
    lease = worklist.current;
    if (!lease) return;
  }
  find("#nothing").hidden = true;
  panel.isActive = true;
  recall(lease);
  panel.show(lease);
  autosave.open(lease);
  bar.showLease(worklist);
  shown += 1;
  say(`${said} Region ${shown}.${lease.note ? ` Sent back to you: ${lease.note}` : ""}${panel.offered ? ` Offered: ${byCode(panel.offered).name}.` : ""}`);
  await show(lease, since);
}

/** Offer again what was not accepted: a lease may have been handed out before its region's last answer was turned away. */
function recall(lease) {
  const job = outbox.refused.findLast((one) => one.region?.id === lease.region.id);
  if (!job || lease.entered?.answer || !boot().classes.some(({ code }) => code === job.label)) return false;
  const { answer, comment, flagged } = job.body;
  lease.entered = { comment, flagged, ...lease.entered, answer };
  return true;
}

async function show(lease, since) {
  try {
    const isSharp = await viewer.show(lease.region, { label: `Region ${shown}, ${lease.region.width} by ${lease.region.height} pixels` });
    if (!isSharp) return;
  } catch (error) {
    unreadable(error);
    return;
  }
  if (since !== null) performance.measure(MEASURE, { start: since, end: performance.now() });
  stopwatch.start();
  viewer.keep(worklist.regions);
  claim({ quiet: true });
}

/** Hold as many as wanted; says why where there is nothing at all. */
async function claim({ quiet = false } = {}) {
  try {
    await worklist.fill();
    viewer.keep(worklist.regions);
    if (!worklist.current && !quiet) await tellWhyEmpty();
  } catch (error) {
    if (worklist.current) return;
    nothing(error.message);
  }
}

async function tellWhyEmpty() {
  const unsent = outbox.waiting.at(-1);
  if (unsent) {
    nothing("Your last answers are on their way.");
    outbox.settled(unsent.key).then(() => { if (!worklist.current) next(); });
    return;
  }
  const { reason_empty: empty } = await get("queue/");
  nothing(empty?.message ?? "All regions were taken at this moment.");
}

function nothing(text) {
  const place = find("#nothing");
  place.hidden = false;
  replace(place, el("p", { text }), el("p", { class: "hint", text: "This page looks again by itself." }),
    el("a", { class: "button", href: "../queue/" }, "My queue"));
  say(text);
  bar.showLease(worklist);
  clearTimeout(timer);
  timer = setTimeout(() => (document.hidden ? nothing(text) : next()), LOOK_AGAIN_MS);
}

function unreadable(error) {
  const place = find("#nothing");
  place.hidden = false;
  const lease = worklist.current;
  const again = () => {
    clearTimeout(timer);
    if (worklist.current !== lease) return;
    place.hidden = true;
    show(lease, null);
  };
  clearTimeout(timer);
  timer = setTimeout(again, LOOK_AGAIN_MS);
  replace(place, el("p", { text: `${error.message} Try again; if it stays so, skip the region with the reason.` }),
    el("button", { type: "button", on: { click: again } }, "Try again"));
  say(error.message, { assertive: true });
}

const isSharp = () => worklist.current !== null && viewer.element.dataset.state === "sharp" && viewer.region?.id === worklist.current.region.id;

// --- Answering, skipping, taking back ------------------------------------------------------------------------------

function answer(code, since = null) {
  const lease = worklist.current;
  if (!isSharp()) return;
  const { comment, flagged } = panel.content;
  const key = freshKey();
  autosave.open(null);
  worklist.finish(lease.token);
  last = { key, token: lease.token, lease: { ...lease, entered: { answer: { kind: "class", label: code }, comment, flagged } } };
  for (const job of outbox.refused) if (job.region?.id === lease.region.id) outbox.forget(job.key);
  outbox.add({
    key, token: lease.token, path: "queue/submit/", label: code, region: { id: lease.region.id, thumbnail: lease.region.thumbnail },
    body: { token: lease.token, answer: { kind: "class", label: code }, idempotency_key: key, seconds: stopwatch.seconds, comment, flagged, protocol: version() },
  });
  bar.showToday(++today);
  bar.showUndo(last);
  next({ since, said: `${byCode(code).name}.` });
}

async function skip() {
  const lease = worklist.current;
  if (!lease) return;
  const reason = await askReason();
  if (reason === null || worklist.current?.token !== lease.token) return;
  autosave.open(null);
  try {
    await post("queue/skip/", { token: lease.token, reason });
  } catch (error) {
    toast(error.message, { kind: "bad" });
    if (error.code !== "lease-lost") { autosave.open(lease); return; }
  }
  worklist.finish(lease.token);
  next({ said: "Skipped." });
}

async function undo() {
  if (!last) { say("There is nothing to take back."); return; }
  const { key, token, lease } = last;
  last = null;
  bar.showUndo(null);
  const unsent = key && outbox.take(key);
  try {
    if (key && !unsent) await outbox.settled(key);
    const back = unsent ? lease : await post("queue/undo/", { token, idempotency_key: freshKey() });
    await autosave.flush();
    worklist.putFirst(back);
    bar.showToday(--today);
    next({ said: "Taken back." });
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

// --- Leases ----------------------------------------------------------------------------------------------------------

function loseCurrent() {
  const lease = worklist.current;
  if (!lease) return;
  worklist.lose([lease.token]);
}

worklist.addEventListener("classes", ({ detail }) => { follow(detail.protocol, () => autosave.flush()); });
worklist.addEventListener("lost", ({ detail }) => {
  if (viewer.region && worklist.current?.region.id === viewer.region.id) return;
  toast(`The time for ${detail.tokens.length === 1 ? "this region" : "these regions"} ran out. What you entered is kept, and offered again when the region comes back.`, { kind: "bad" });
  next();
});

async function touch() {
  const isOver = worklist.current && worklist.secondsLeft <= 0;
  if (isOver) await autosave.flush();
  await worklist.touch({ now: isOver }).catch(() => {});
  bar.showLease(worklist);
}

for (const type of ["keydown", "pointerdown", "wheel"]) addEventListener(type, () => { touch(); }, { passive: true });
setInterval(() => bar.showLease(worklist), 1000);
addEventListener("pagehide", () => { autosave.flush({ keepalive: true }); worklist.leave(); });
addEventListener("pageshow", (event) => { if (event.persisted) next(); });
document.addEventListener("visibilitychange", () => { if (document.hidden) autosave.flush({ keepalive: true }); });

// --- The outbox -------------------------------------------------------------------------------------------------------

function drawOutbox() {
  drawTray(find("#tray"), outbox);
  bar.showSending(outbox);
}

outbox.addEventListener("change", drawOutbox);
teach(find("#taught"), outbox);
outbox.addEventListener("refused", ({ detail }) => {
  bar.showToday(--today);
  if (last?.key === detail.job.key) { last = null; bar.showUndo(null); }
  find(".annotate-panel").scrollTo(0, 0);
  const lease = worklist.current;
  if (lease && recall(lease)) panel.show(lease);
  if (detail.error.code === "classes-changed") follow(detail.error.details.protocol, () => autosave.flush());
  say(`Not accepted: ${byCode(detail.job.label).name}. ${detail.error.message}`, { assertive: true });
});

// --- Keys -------------------------------------------------------------------------------------------------------------

const guideFor = () => guide.toggle(document.activeElement?.dataset?.class ?? "");
const byClass = classKeys();
const taken = new Set([...byClass.values()].flat());
const free = (...keys) => keys.filter((key) => !taken.has(key));
register([
  ...boot().classes.map(({ code, name }) => ({
    id: `class.${code}`, keys: byClass.get(code), group: "Classes", label: name, run: (event) => answer(code, event.timeStamp), overButtons: true,
  })),
  { id: "accept", keys: ["Enter"], label: "Accept what is offered", run: (event) => answer(panel.offered, event.timeStamp), when: () => Boolean(panel.offered) },
  { id: "comment", keys: free("c", "Alt+c", "Shift+c"), label: "Write a comment", run: () => panel.comment.focus() },
  { id: "flag", keys: free("f", "Alt+f"), label: "Flag the region", run: () => panel.toggleFlag(), when: isSharp },
  { id: "flag.comment", keys: ["Shift+f"], label: "Flag with a comment", run: () => { panel.toggleFlag(); panel.comment.focus(); }, when: isSharp },
  { id: "skip", keys: free("Ctrl+Space", "s"), label: "Skip, with a reason", run: skip },
  { id: "undo", keys: free("Ctrl+z", "u"), label: "Take the last answer back", run: undo },
  { id: "guide", keys: free("t", "Alt+t"), label: "Definitions and examples", run: guideFor },
  ...viewer.bindings().map((one) => ({ ...one, keys: free(...one.keys) })),
].map((one) => ({ group: "Answer", ...one })));
find("#skip").addEventListener("click", skip);
find("#undo").addEventListener("click", undo);
find("#guide-button").addEventListener("click", guideFor);

// --- Start --------------------------------------------------------------------------------------------------------------

panel.draw();
panel.isActive = false;
drawOutbox();
await outbox.flush();
next();
get("queue/").then(({ answers_today: many, undo: newest }) => {
  today += many;
  last ??= newest && { key: "", token: newest.token, lease: null };
  bar.showToday(today);
  bar.showUndo(last);
}, () => {});
