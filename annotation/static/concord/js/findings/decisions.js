/**
 * Decisions about findings: asks for a reason (and a day, or a class), sends them, and can take them back at once.
 * Decides the questions; what a decision does is the server's.
 */

import { post } from "../api.js";
import { ask, boot, count, el, toast } from "../dom.js";

export const REOPEN = "reopen";
const REVERSIBLE = ["accept", "waive"];
const { number } = boot().pass ?? {};
let lastReason = "";
let undo = null;
let closeToast = () => {};

/** What a decision is called. */
export const labelOf = (fix) => (fix === REOPEN ? "Reopen" : boot().fixes[fix].label);

/**
 * Ask about `chosen`, {ids} or {where, count}, and carry it out; `one` is the finding where it is a single one.
 * Resolves to what was decided, or null where the person changed their mind or the server refused.
 */
export async function decide(fix, chosen, { one = null, done = () => {} } = {}) {
  const many = chosen.ids?.length ?? chosen.count;
  const said = await ask({
    title: `${labelOf(fix)}: ${count(many, "finding")}`,
    body: describe(fix, one),
    fields: fields(fix, one),
    confirm: many === 1 ? labelOf(fix) : `${labelOf(fix)} (${count(many, "finding")})`,
  });
  if (!said) return null;
  lastReason = said.reason;
  return send(fix, chosen, said, { one, done });
}

function describe(fix, one) {
  const effect = fix === REOPEN ? "The decision is taken back; the finding stands before a release again." : boot().fixes[fix].effect;
  return el("div", {}, one && el("p", {}, el("strong", { text: one.message })), el("p", { text: effect }));
}

const classes = () => boot().classes.map(({ code, name }) => ({ value: code, label: name }));

function fields(fix, one) {
  const asked = [{ name: "reason", label: "Reason", type: "textarea", required: true, maxlength: 2000, value: lastReason, hint: "Kept in the ledger, and told in the release under your pseudonym. Name no patient." }];
  if (fix === "waive") asked.push({ name: "until", label: "Until (empty: for good)", type: "date" });
  if (fix === "adjudicate" && one) {
    asked.push({ name: "label", label: "Decide now", type: "select", options: [{ value: "", label: "No: an adjudicator decides" }, ...classes()] });
  }
  if (fix === "map") asked.push({ name: "label", label: "Class of today's protocol", type: "select", required: true, options: [{ value: "", label: "Choose a class" }, ...classes()] });
  return asked;
}

async function send(fix, chosen, said, { one, done }) {
  try {
    const isDecided = fix === "adjudicate" && said.label;
    const result = await (isDecided ? decideNow(one, said) : decideMany(fix, chosen, said));
    undo = REVERSIBLE.includes(fix) ? () => takeBack(result.ids, done) : null;
    closeToast();
    closeToast = toast(`${labelOf(fix)}: ${count(result.ids.length, "finding")}.`, { kind: "good", action: undo && { label: "Undo", run: undoLast }, seconds: 12 });
    done(result);
    return result;
  } catch (error) {
    toast(error.message, { kind: "bad" });
    return null;
  }
}

function decideMany(decision, chosen, { reason, until, label }) {
  const more = { ...(until ? { until: `${until}T23:59:59Z` } : {}), ...(label ? { answer: { kind: "class", label } } : {}) };
  return post(`passes/${number}/findings/decide/`, { decision, reason, ...chosen, ...more });
}

async function decideNow(one, { reason, label }) {
  const answer = { kind: "class", label };
  await post(`passes/${number}/findings/${one.id}/resolve/`, { fix: "adjudicate", reason, answer });
  return { ids: [one.id], state: "resolved" };
}

/** Take the last decision back, where it left the truth as it is. */
export async function undoLast() {
  const run = undo;
  undo = null;
  closeToast();
  if (run) await run();
  else toast("There is no decision to take back here. Reopen a finding to decide it anew.");
}

async function takeBack(ids, done) {
  try {
    const result = await post(`passes/${number}/findings/decide/`, { decision: REOPEN, reason: "Taken back at once.", ids });
    toast(`${count(ids.length, "finding")} ${ids.length === 1 ? "is" : "are"} open again.`);
    done(result);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}
