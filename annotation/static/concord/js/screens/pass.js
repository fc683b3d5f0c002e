/**
 * The page of one pass: filters, what blocks, what changed, and its findings by rule, decided one by one or in bulk.
 * Decides which part is asked for when; what a filter means and what a decision does is the server's.
 */

import { mountSample } from "../acceptance.js";
import { get, poll, url } from "../api.js";
import { boot, count, el, find, findAll, number, replace, say, toast } from "../dom.js";
import { decide as askAndSend, REOPEN, undoLast } from "../findings/decisions.js";
import { createGroup } from "../findings/group.js";
import { createSelection } from "../findings/selection.js";
import { register } from "../keys.js";

const pass = boot().pass;
const base = `passes/${pass.number}/`;
const form = find("#filters");
const ALL = "?all=true";
const NAMES = ["rule", "state", "severity", "label", "domain", "since", "blocks"];
let groups = [];
let current = null;

const selection = createSelection(find("#bulk"), { decide: (fix, chosen) => decide(fix, chosen), onChange: () => groups.forEach((group) => group.redraw()) });

/** The filters of the address, those alone that are set. */
function filters() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
}

/** A page opened without a filter shows what is new or changed, where the rest was seen in the pass before. */
async function beginWithFresh() {
  if (location.search || pass.state !== "done") return;
  const { since: told } = await ask();
  if (told?.kept && told.new + told.changed) history.replaceState(null, "", "?since=fresh");
}

async function show() {
  const wanted = filters();
  for (const name of NAMES) {
    const field = form.elements[name];
    if (field.type === "checkbox") field.checked = Boolean(wanted[name]);
    else field.value = wanted[name] ?? "";
  }
  find("#csv").href = url(`${base}findings.csv?${new URLSearchParams(wanted)}`);
  try {
    const summary = await ask();
    groups = summary.groups.map((group) => createGroup(group, { filters: wanted, selection, isAlone: summary.groups.length === 1, decide: (fix, chosen, one) => decide(fix, chosen, one) }));
    replace(find("#groups"), wanted.since === "fresh" && el("p", { class: "note" }, "What the pass before found just so is not shown. ", el("a", { href: ALL, text: "Show all findings." })),
      groups.length ? groups.map((group) => group.node) : nothing(wanted));
    await Promise.all(groups.map((group) => group.load()));
  } catch (error) {
    replace(find("#groups"), el("p", { class: "note bad", text: error.message }));
  }
}

/** The summary, told at the top of the page. */
async function ask() {
  const summary = await get(`${base}summary/?${new URLSearchParams(filters())}`);
  replace(find("#blocks"), blocks(summary.blockers));
  replace(find("#since"), since(summary));
  return summary;
}

function nothing(wanted) {
  return Object.keys(wanted).length
    ? el("p", { class: "empty" }, "No finding fits these filters. ", el("a", { href: ALL, text: "Show all findings." }))
    : el("p", { class: "empty" }, "The rules found nothing to object to. ", el("a", { href: `${boot().screens}releases/?pass=${pass.number}`, text: "Preview a release of this pass." }));
}

function blocks(checks) {
  if (pass.release !== null) return el("p", { text: "Nothing: it has been released." });
  return el("ul", { class: "checks" }, checks.map((one) => el("li", { class: one.state === "failed" ? "bad" : "good" },
    el("span", { class: `badge ${one.state === "failed" ? "bad" : "good"}`, "aria-hidden": "true", text: one.state === "failed" ? "✕" : "✓" }),
    one.rule ? el("a", { href: `?rule=${one.rule}&blocks=true`, text: one.sentence }) : el("span", { text: one.sentence }))));
}

function since({ since: told, moved }) {
  const changes = moved.changes
    ? el("p", { class: "note warn" }, `The truth has moved on: ${number(moved.changes)}${moved.is_capped ? " or more" : ""} change${moved.changes === 1 ? "" : "s"} after this pass. `, el("a", { href: `${boot().screens}passes/`, text: "Run a new pass" }), " to take them in.")
    : el("p", { text: "Nothing has changed the truth since this pass." });
  if (!told) return el("div", {}, changes, el("p", { class: "hint", text: "It is the first pass of the study." }));
  const link = (name, said) => el("a", { href: `?since=${name}`, text: `${number(told[name])} ${said}` });
  return el("div", {}, changes, el("p", {}, `Compared with pass ${told.previous}: `, link("new", "new"), ", ", link("changed", "changed"), ", ", link("kept", "known already"), ", ", link("gone", "gone"), "."));
}

async function decide(fix, chosen, one = null) {
  await askAndSend(fix, chosen, { one, done: (result) => refresh(result.ids) });
}

let refreshing = Promise.resolve();

/** After a decision: its findings, the counts and what blocks. One after the other, so that older news never comes last. */
function refresh(ids) {
  refreshing = refreshing.then(() => drawAnew(ids));
  return refreshing;
}

async function drawAnew(ids) {
  const at = current;
  selection.clear();
  const touched = new Set(ids);
  try {
    const counted = new Map((await ask()).groups.map((group) => [group.rule, group.counts]));
    for (const group of groups) {
      group.show(counted.get(group.rule) ?? {});
      await group.reload([...group.found.keys()].filter((id) => touched.has(id)));
    }
  } catch (error) {
    toast(`The page may be behind: load it again. ${error.message}`, { kind: "bad" });
  }
  if (at) focus(find(`[data-finding="${at}"]`));
}

const cards = () => findAll(".finding");
const cardOf = (id) => find(`[data-finding="${id}"]`);

function focus(node) {
  if (!node) return;
  current = Number(node.dataset.finding);
  node.focus({ preventScroll: true });
  node.scrollIntoView({ block: "nearest" });
}

async function step(by) {
  const listed = cards();
  const at = listed.findIndex((node) => Number(node.dataset.finding) === current);
  const target = at < 0 ? (by > 0 ? 0 : listed.length - 1) : at + by;
  const group = groups.find((one) => one.node.contains(listed[at] ?? null));
  const isLast = group && at >= 0 && by > 0 && !group.node.contains(listed[target] ?? null);
  if (isLast && group.hasMore()) {
    await group.load();
    return step(by);
  }
  if (listed[target]) focus(listed[target]);
  else say(by > 0 ? "This is the last finding." : "This is the first finding.");
}

function currentFinding() {
  for (const group of groups) if (group.found.has(current)) return group.found.get(current);
  return null;
}

/** A fix by its key: for the selection where there is one, else for the finding that has the focus. */
function press(fix) {
  if (selection.size()) {
    if (selection.fixes().includes(fix)) return decide(fix, selection.chosen());
  } else {
    const one = currentFinding();
    if (one && cardOf(one.id)?.querySelector(`[data-fix="${fix}"]`)) return decide(fix, { ids: [one.id] }, one);
  }
  return say("That can't be done here.");
}

function toggle() {
  const one = currentFinding();
  const box = one && cardOf(one.id).querySelector("input[type=checkbox]");
  if (box) box.click();
}

const FIX_KEYS = { accept: "a", waive: "w", recheck: "r", adjudicate: "d", exclude: "x", merge: "m", map: "c", [REOPEN]: "o" };
const groupOf = () => groups.find((group) => group.found.has(current)) ?? groups[0];
register([
  { id: "next", keys: ["n"], label: "Next finding", run: () => step(1), repeat: true },
  { id: "previous", keys: ["Shift+n"], label: "Previous finding", run: () => step(-1), repeat: true },
  { id: "toggle", keys: ["s"], label: "Select the finding, or not", run: toggle },
  { id: "select-all", keys: ["Shift+s"], label: "Select all open findings of the rule", run: () => { const group = groupOf(); if (group && !group.node.querySelector(".select-all").hidden) group.selectAll(); } },
  { id: "clear", keys: ["Escape"], label: "Clear the selection", when: () => selection.size() > 0, run: () => selection.clear() },
  { id: "undo", keys: ["Ctrl+z", "u"], label: "Take the last accepting or waiving back", run: undoLast },
  { id: "history", keys: ["h"], label: "History of the finding's region", run: () => cardOf(current)?.querySelector("figure a")?.click() },
  ...Object.entries(FIX_KEYS).map(([fix, key]) => ({ id: `fix-${fix}`, keys: [key], label: fix === REOPEN ? "Reopen" : boot().fixes[fix].label, group: "The finding, or all selected ones", run: () => press(fix) })),
]);

document.addEventListener("focusin", (event) => {
  const node = event.target.closest?.(".finding");
  if (node) current = Number(node.dataset.finding);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.pushState(null, "", given.size ? `?${given}` : ALL);
  selection.clear();
  show().then(() => say(`${count(groups.length, "rule")} with findings that fit.`));
});
window.addEventListener("popstate", () => { selection.clear(); show(); });

for (const { code, name } of boot().classes) form.elements.label.append(el("option", { value: code, text: name }));

/** A pass that still runs has no findings: wait for its end, then begin. */
function wait() {
  const place = find("#running");
  replace(find("#blocks"), el("p", { class: "hint", text: "Known when the pass has finished." }));
  replace(find("#since"));
  const polling = poll(`${base}summary/`, 1.5, ({ state, job }) => {
    if (state === "running") { replace(place, el("p", { class: "note", text: job?.state === "running" ? "A worker runs the rules…" : "The pass waits for a worker…" })); return; }
    polling.stop();
    if (state === "done") location.reload();
    else replace(place, el("p", { class: "note bad", text: `The pass failed and wrote nothing. ${job?.error ?? ""} Run a new one.` }));
  });
}

if (pass.state === "done") {
  mountSample(find("#sample"), base);
  beginWithFresh().catch(() => {}).then(show);
} else wait();
