/**
 * The page of passes: starts one and shows how far it is.
 * Decides how a running pass is told; refuses to know what it looks for.
 */

import { post, poll } from "../api.js";
import { boot, count, duration, el, find, findAll, number, replace, say, toast } from "../dom.js";
import { hint, register } from "../keys.js";

const button = find("#run");
const BADGES = { done: "good", failed: "bad", running: "info" };

async function run() {
  if (button.disabled) return;
  button.disabled = true;
  try {
    const started = await post("passes/");
    find("#none")?.remove();
    find("#passes tbody").prepend(line(started));
    say(`Pass ${started.number} has started.`);
    watch(started.number);
  } catch (error) {
    button.disabled = false;
    toast(error.message, { kind: "bad" });
  }
}

function line(row) {
  const cell = (text, kind = "number") => el("td", { class: kind, text });
  return el("tr", { dataset: { pass: row.number, state: row.state } },
    el("th", { scope: "row" }, el("a", { href: `${boot().screens}passes/${row.number}/`, text: `Pass ${row.number}` })),
    el("td", { class: "state" }, el("span", { class: "badge info", text: row.state })),
    cell("–"), cell("–"), cell("–"), cell(number(row.ledger_position)),
    el("td", {}, el("time", { datetime: row.created_at, text: row.created_at.slice(0, 16).replace("T", " ") })),
    cell(row.started_by ?? "the program", ""), el("td", {}));
}

/** Follow a running pass until it ends; then its numbers take their places. */
function watch(pass) {
  const row = find(`tr[data-pass="${pass}"]`);
  const cells = findAll("td", row);
  button.disabled = true;
  const since = Date.now();
  const polling = poll(`passes/${pass}/summary/`, 1.5, (found) => {
    row.dataset.state = found.state;
    replace(cells[0], el("span", { class: `badge ${BADGES[found.state]}`, text: found.state }), " ", tell(found, since));
    if (found.state === "running") return;
    polling.stop();
    button.disabled = false;
    end(pass, cells, found);
  });
}

function tell({ state, job }, since) {
  if (state === "failed") return el("span", { class: "hint", text: job?.error || "It did not finish. Nothing was written; run a new one." });
  if (state !== "running") return "";
  const waits = !job || job.state === "ready";
  const said = waits ? "waits for a worker" : `a worker runs it${job.attempt > 1 ? `, attempt ${job.attempt} of ${job.max_attempts}` : ""}`;
  return el("span", { class: "hint", text: `${said} · ${duration((Date.now() - since) / 1000)}` });
}

function end(pass, cells, { state, groups, items }) {
  if (state !== "done") { say(`Pass ${pass} has failed.`, { assertive: true }); return; }
  const blockers = groups.reduce((sum, group) => sum + group.counts.open_blockers, 0);
  const warnings = groups.reduce((sum, group) => sum + group.counts.open_warnings, 0);
  replace(cells[1], number(items));
  replace(cells[2], blockers ? el("span", { class: "badge bad", text: number(blockers) }) : "0");
  replace(cells[3], number(warnings));
  find("#stale")?.remove();
  toast(`Pass ${pass} has finished: ${count(blockers, "open blocker")}, ${count(warnings, "open warning")}.`, { kind: blockers ? "info" : "good" });
}

register([{ id: "run", keys: ["r"], label: "Run a pass", run }]);
replace(button, "Run a pass ", hint("run"));
button.addEventListener("click", run);
for (const row of findAll('tr[data-state="running"]')) watch(row.dataset.pass);
