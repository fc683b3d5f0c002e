/**
 * Adjudicate: take a tie, look at it, choose a class, say why, send it, take the next.
 * Decides when a lease is taken, kept and given up; what is shown of a case is drawn by casefile.js.
 */

import { askReason } from "../annotate/skipping.js";
import { ApiError, get, post, put } from "../api.js";
import { answers, neighbours, posterior, reasons, rules } from "../casefile.js";
import { byCode, classKeys } from "../classes.js";
import { boot, count, el, find, replace, say, toast } from "../dom.js";
import { Decision } from "../decision.js";
import { register } from "../keys.js";
import { follow, version } from "../newclasses.js";
import { freshKey } from "../outbox.js";
import { RegionViewer } from "../regionviewer.js";

const AHEAD = 2;
const MOST_REASONS = 6;
const RENEW_MS = 60_000;
const SAVE_MS = 700;
const TOOLS = [..."abcrfsutz"];
const page = find("#adjudicate");
const undoPlace = `concord.adjudicated.${boot().person}`;

const files = new Map();
let lease = null;
let draftVersion = 0;
let examples = [];
let viewer = null;
let decision = null;
let renewedAt = 0;
let saving = 0;
let savingNow = Promise.resolve();
let given = [];
let closeToast = () => {};
let sending = { what: "", key: "" };

/** What the holder of a lease judges by; asked for once. */
function fileOf({ token }) {
  if (!files.has(token)) files.set(token, get(`queue/adjudication/${token}/`));
  return files.get(token);
}

async function next() {
  page.setAttribute("aria-busy", "true");
  try {
    const { leases, protocol } = await post("queue/claim/", { kind: "adjudicate", count: AHEAD });
    follow(protocol);
    if (leases.length) await open(leases[0], leases.slice(1));
    else await showEmpty();
  } catch (error) {
    showTrouble(error);
  } finally {
    page.removeAttribute("aria-busy");
  }
}

/** Lay one tie before the person, and have those ahead ready. `before`: what had been decided, after an undo. */
async function open(found, ahead = [], before = null) {
  for (const token of files.keys()) if (![found, ...ahead].some((one) => one.token === token)) files.delete(token);
  const file = await fileOf(found);
  lease = found;
  draftVersion = found.entered_version ?? 0;
  renewedAt = Date.now();
  draw(file, before ?? entered(found));
  get("queue/adjudication/").then((waiting) => showWaiting(waiting, ahead.length), () => {});
  const picture = viewer.show(found.region, { label: "The region to decide over. The arrow keys move the view, plus and minus zoom." });
  ahead.forEach((one) => fileOf(one).catch(() => files.delete(one.token)));
  await picture;
  viewer.keep(ahead.map((one) => one.region));
  say(`Next region. ${file.said.join(" ")}`);
}

const entered = ({ entered: kept }) => (kept ? { label: kept.answer?.label ?? "", reason: kept.comment ?? "", flagged: kept.flagged ?? false } : null);

function draw(file, before) {
  const isNext = Boolean(viewer);
  if (!viewer) build();
  // A case that was ready in advance does not know the reason given meanwhile.
  decision.start({ file: { ...file, reasons: [...new Set([...given, ...file.reasons])].slice(0, MOST_REASONS) }, before });
  replace(find("#why"), reasons(file));
  replace(find("#around"), posterior(file), neighbours(file, lease.region.um_per_px));
  replace(find("#case"), answers(file, (one) => decision.choose(one.answer.label)));
  replace(find("#law"), rules(file, examples));
  if (isNext) toCase();
}

/** Where reading begins: the keys of the classes work from here. */
const toCase = () => find("#why-title")?.focus();

function build() {
  const stage = el("div", { class: "stage" });
  decision ??= new Decision({ onSend: send, onChange: changed, onLeave: toCase, actions: [
    ["skip", "Skip…", skip], ["undo", "Undo", undo],
  ] });
  replace(page, el("div", { class: "adjudicate" },
    el("div", { id: "why" }),
    el("div", { class: "looking" }, stage, el("div", { id: "around" })),
    el("div", { class: "judging" }, el("div", { id: "case" }), decision.element, el("div", { id: "law" }))));
  viewer = new RegionViewer(stage, { label: "The region to decide over" });
  register(viewer.bindings().map((one) => ({ ...one, when: (event) => !event.target.matches?.("input, select") })));
}

function showWaiting({ ready, not_yours: others, is_capped: isCapped }, ahead) {
  const more = `${count(ready + ahead, "more region")}${isCapped ? " or more" : ""} wait${ready + ahead === 1 ? "s" : ""} for you.`;
  find("#waiting").textContent = others ? `${more} ${count(others, "other")} must be decided by somebody else: you have answered or skipped them.` : more;
}

async function send({ label, reason, flagged }) {
  const sent = lease;
  clearTimeout(saving);
  await savingNow;
  const body = { token: sent.token, answer: { kind: "class", label }, reason, flagged, protocol: version(), idempotency_key: keyOf(sent.token, label) };
  try {
    await post("queue/submit/", body);
  } catch (error) {
    if (error.code === "classes-changed") follow(error.details.protocol);
    else lost(error);
    return;
  }
  remember({ token: sent.token, label, reason, flagged });
  given = [reason, ...given.filter((one) => one !== reason)];
  closeToast();
  closeToast = toast(`Decided: ${byCode(label).name}.`, { kind: "good", action: { label: "Undo", run: undo } });
  files.delete(sent.token);
  await next();
}

/** The same thing sent again keeps its key, so that it counts once; another one gets its own. */
function keyOf(...what) {
  if (sending.what !== what.join(" ")) sending = { what: what.join(" "), key: freshKey() };
  return sending.key;
}

async function undo() {
  const last = remembered();
  if (!last) {
    toast("There is no decision of yours to take back.");
    return;
  }
  try {
    const again = await post("queue/undo/", { token: last.token, idempotency_key: keyOf(last.token, "undo") });
    remember(null);
    closeToast();
    await open(again, [], last);
    toast("Taken back: the region is before you again.");
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) remember(null);
    toast(error.message, { kind: "bad" });
  }
}

async function skip() {
  const reason = await askReason();
  if (!reason) return;
  try {
    await post("queue/skip/", { token: lease.token, reason });
    files.delete(lease.token);
    await next();
  } catch (error) {
    lost(error);
  }
}

/** A lease that is gone: what was entered stays on the page, and the way on is offered. */
function lost(error) {
  if (error instanceof ApiError && (error.code === "lease-lost" || error.status === 404)) {
    decision.warn(error.message, { label: "Take a region", run: next });
    return;
  }
  decision.warn(error.message);
}

/** Real input keeps the leases, and what is entered is saved as it is typed. */
function changed(content) {
  clearTimeout(saving);
  saving = setTimeout(() => { savingNow = save(content); }, SAVE_MS);
  renew();
}

async function save({ label, reason, flagged }) {
  const content = { answer: label ? { kind: "class", label } : null, comment: reason, flagged };
  try {
    draftVersion = (await put("queue/draft/", { token: lease.token, content, version: draftVersion })).version;
    decision.saved("Saved.");
  } catch (error) {
    decision.saved(error.message);
  }
}

function renew() {
  if (!lease || Date.now() - renewedAt < RENEW_MS) return;
  renewedAt = Date.now();
  post("queue/renew/", { tokens: [...files.keys()] }).then(({ lost: gone }) => {
    if (gone.includes(lease.token)) lost(new ApiError(409, { code: "lease-lost", message: "The time for this region ran out. What you entered is saved." }));
  }, () => {});
}

async function showEmpty() {
  lease = null;
  const waiting = await get("queue/adjudication/");
  const isOpen = ["running", "draining"].includes(boot().study.state);
  find("#waiting").textContent = "";
  const last = remembered() && el("button", { type: "button", on: { click: undo } }, "Undo the last decision");
  const text = !isOpen ? "The study hands out no work at the moment: a manager opens it again."
    : waiting.not_yours ? `${count(waiting.not_yours, "region")} wait${waiting.not_yours === 1 ? "s" : ""} that you have answered or skipped yourself: another adjudicator decides over ${waiting.not_yours === 1 ? "it" : "them"}.`
      : "No answers disagree at the moment. Regions come here when people disagree, or when too many skip one.";
  letGo();
  replace(page, el("section", { class: "empty" },
    el("h2", { text: "Nothing to decide" }), el("p", { text }),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "primary", on: { click: next } }, "Look again"), last)));
  say(`Nothing to decide. ${text}`);
}

/** The picture is no longer shown: its viewer goes, and is made anew for the next region. */
function letGo() {
  viewer?.destroy();
  viewer = null;
}

function showTrouble(error) {
  letGo();
  replace(page, el("section", { class: "note bad" }, el("p", { text: error.message }),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "primary", on: { click: next } }, "Try again"))));
  say(error.message, { assertive: true });
}

const remembered = () => JSON.parse(sessionStorage.getItem(undoPlace) ?? "null");
const remember = (done) => sessionStorage.setItem(undoPlace, JSON.stringify(done));
const isOpen = () => Boolean(lease && viewer);

register([
  ...[...classKeys(TOOLS)].map(([code, keys]) => ({
    id: `class.${code}`, keys, label: byCode(code).name, group: "Classes", when: isOpen, run: () => decision.choose(code),
  })),
  ...["A", "B", "C"].map((name) => ({
    id: `take-${name}`, keys: [name.toLowerCase()], label: `Take the class of answer ${name}`, group: "Deciding",
    when: () => isOpen() && decision.has(name), run: () => decision.take(name),
  })),
  { id: "reason", keys: ["r"], label: "Write the reason", group: "Deciding", when: isOpen, run: () => decision.writeReason() },
  { id: "send", keys: ["Ctrl+Enter"], label: "Decide and take the next", group: "Deciding", inFields: true, when: isOpen, run: () => decision.send() },
  { id: "flag", keys: ["f"], label: "Flag the region", group: "Deciding", when: isOpen, run: () => decision.flag() },
  { id: "skip", keys: ["Ctrl+Space", "s"], label: "Skip, with a reason", group: "Deciding", when: isOpen, run: skip },
  { id: "undo", keys: ["Ctrl+z", "u"], label: "Take the last decision back", group: "Deciding", run: undo },
  { id: "rules", keys: ["t"], label: "Fold or unfold the protocol", group: "Deciding", when: isOpen, run: () => {
    const panel = find("#rules");
    if (panel) panel.open = !panel.open;
  } },
]);
for (const type of ["pointerdown", "keydown", "wheel"]) document.addEventListener(type, renew, { passive: true });
get("examples/").then((found) => { examples = found; }, () => {}).finally(next);
