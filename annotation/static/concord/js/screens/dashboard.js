/**
 * The manager's dashboard: charts from the rows in the page, kept up to date, and the buttons that write.
 * Decides when to ask again and what may be done from here; refuses to count: the server does.
 */

import { get, poll, post } from "../api.js";
import { classOf, read } from "../cells.js";
import { chart } from "../charts.js";
import * as agreement from "../charts/agreement.js";
import * as classes from "../charts/classes.js";
import * as coverage from "../charts/coverage.js";
import * as learning from "../charts/learning.js";
import * as progress from "../charts/progress.js";
import * as reliability from "../charts/reliability.js";
import * as throughput from "../charts/throughput.js";
import { ask, boot, el, find, findAll, replace, say, toast } from "../dom.js";
import { register } from "../keys.js";

const CHARTS = { progress, throughput, classes, coverage, agreement, reliability, learning };
const { panels, filters, screens, most_rows: mostRows } = boot();
const drawn = new Map();
const polls = new Map();
let isLive = true;

/** Put what a panel says now in place of what it said. */
function show(panel) {
  if (panel.panel === "summary") { showSummary(panel); return; }
  const section = document.getElementById(panel.panel);
  draw(section, panel);
  write(find(".empty", section), panel.empty);
  replace(find(".notes", section), panel.notes.map((text) => el("li", { text })));
  const tables = find(".tables", section);
  tables.hidden = !panel.tables.length;
  keepFocus(section, () => replace(tables, find("summary", tables), panel.tables.map((table) => block(panel, table))));
  offer(section, panel);
}

function write(node, text) {
  node.textContent = text;
  node.hidden = !text;
}

function draw(section, panel) {
  const place = find(".charts", section);
  const wanted = CHARTS[panel.panel]?.charts(panel) ?? [];
  const names = new Set(wanted.map(({ name }) => `${panel.panel}-${name}`));
  for (const [name, { made, box }] of drawn) {
    if (name.startsWith(`${panel.panel}-`) && !names.has(name)) { made.close(); box.remove(); drawn.delete(name); }
  }
  for (const { name, title, option, describe, height } of wanted) {
    const key = `${panel.panel}-${name}`;
    const known = drawn.get(key);
    if (known) {
      known.made.update(option, describe, height);
      find("h3", known.box).textContent = title;
      continue;
    }
    const picture = el("div");
    const box = el("div", { class: "chart-box", dataset: { chart: key } }, el("h3", { text: title }), picture);
    place.append(box);
    drawn.set(key, { box, made: chart(picture, option, { describe, height }) });
  }
}

function block(panel, table) {
  const query = new URLSearchParams({ table: table.name, ...filters });
  const left = table.rows.length - mostRows;
  const head = table.columns.map(({ label, kind }) => el("th", { scope: "col", class: classOf(kind), text: label }));
  const rows = table.rows.slice(0, mostRows).map((row) => el("tr", {}, row.map((cell, place) => {
    const { kind } = table.columns[place];
    return el(place ? "td" : "th", { scope: place ? null : "row", class: classOf(kind) }, kind === "slides" ? linkTo(cell) : read(cell, kind));
  })));
  return el("div", { class: "table-block", dataset: { table: table.name } },
    el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": table.title },
      el("table", {}, el("caption", { text: table.title }), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows))),
    el("p", { class: "hint" },
      el("a", { class: "csv", href: `${boot().api}dashboard/${panel.panel}.csv?${query}` }, "CSV", el("span", { class: "visually-hidden", text: ` of ${table.title}` })),
      left > 0 && el("span", { class: "left-out", text: ` ${left} more rows are in the CSV.` })));
}

/** The slides of a domain. */
const linkTo = (domain) => el("a", { href: `${screens.slides}?${new URLSearchParams({ domain })}`, text: domain });

/** The focus stays on the same control although the control is a new one. */
function keepFocus(section, change) {
  const key = section.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  change();
  if (key) queueMicrotask(() => findAll("[data-key]", section).find(({ dataset }) => dataset.key === key)?.focus());
}

function showSummary(panel) {
  const [tiles, actions] = panel.tables;
  const values = findAll("#summary .tile");
  tiles.rows.forEach(([, value, means], place) => {
    const [number, hint] = findAll("dd", values[place]);
    number.textContent = value;
    hint.textContent = means;
  });
  replace(find("#summary .actions"), actions.rows.map(([what, how, target]) => el("li", {}, el("a", { href: lead(target), text: what }), " ", el("span", { class: "hint", text: how }))));
  write(find("#summary .all-well"), panel.empty);
}

function lead(target) {
  if (target.startsWith("#")) return target;
  return target.startsWith("pass:") ? `${screens.passes}${target.slice(5)}/` : screens[target];
}

/** Buttons in the last column of the tables whose rows can be acted on. */
function offer(section, panel) {
  if (panel.panel === "models") addButtons(section, "models", panel, ({ state }) => ["retired", "rejected"].includes(state), "Go back to this model", goBack);
  if (panel.panel === "work") addButtons(section, "jobs", panel, ({ state }) => state === "failed", "Retry", retry);
}

function addButtons(section, name, panel, isFor, label, run) {
  const table = panel.tables.find((one) => one.name === name);
  if (!table) return;
  const node = find(`[data-table="${name}"] table`, section);
  find("thead tr", node).append(el("th", { scope: "col", text: "Do" }));
  findAll("tbody tr", node).forEach((line, place) => {
    const row = Object.fromEntries(table.columns.map((column, at) => [column.name, table.rows[place][at]]));
    const key = `${name}-${row.id ?? row.model}`;
    line.append(el("td", {}, isFor(row) && el("button", { type: "button", class: "small", dataset: { key }, "aria-label": `${label}: ${row.id ?? row.model}`, on: { click: () => run(row) } }, label)));
  });
}

async function goBack({ model }) {
  const given = await ask({
    title: `Go back to model ${model}`,
    body: "It ranks the queue from the next batch on. Nothing is trained or deleted, and you can go forward again.",
    fields: [{ name: "reason", label: "Why? It is kept with the model.", type: "textarea", required: true, maxlength: 2000 }],
    confirm: "Make it active",
  });
  if (!given) return;
  await act(() => post(`models/${model}/activate/`, { reason: given.reason }), `Model ${model} is active.`, ["models", "summary", "learning", "work"]);
}

async function retry({ id, kind }) {
  await act(() => post(`jobs/${id}/retry/`), `The job ${kind} waits for a worker again.`, ["work", "summary"]);
}

async function act(run, done, changed) {
  try {
    await run();
    toast(done, { kind: "good" });
    await Promise.all(changed.map(renew));
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

const address = (name) => `dashboard/${name}/?${new URLSearchParams(filters)}`;

function take(found) {
  seen(found.as_of);
  show(found);
}

/** Ask for one panel now, whether or not the page follows it. */
async function renew(name) {
  if (isLive) await polls.get(name).now();
  else take(await get(address(name)));
}

function follow({ panel, seconds, etag }) {
  polls.set(panel, poll(address(panel), seconds, take, fail, { etag, wait: true, onSame: () => seen(new Date()) }));
}

function seen(moment) {
  const iso = new Date(moment).toISOString();
  replace(find("#as-of"), "As of ", el("time", { datetime: iso, text: iso.slice(0, 19).replace("T", " ") }), " UTC");
}

function fail(error) {
  if (error.status === 401) { setLive(false); toast("You have been signed out. Sign in and reload the page.", { kind: "bad" }); return; }
  find("#as-of").textContent = `Not up to date: ${error.message}`;
}

function setLive(on) {
  isLive = on;
  find("#live").setAttribute("aria-pressed", String(on));
  find("#live").textContent = on ? "Live updates: on" : "Live updates: off";
  for (const one of polls.values()) one.stop();
  polls.clear();
  if (on) panels.forEach(follow);
}

async function refresh() {
  await Promise.all(panels.map(({ panel }) => renew(panel))).catch(fail);
  say("The numbers are the newest.");
}

const reach = (selector) => () => { find(selector).scrollIntoView({ block: "start" }); find(selector).focus(); };

for (const panel of panels) if (panel.panel !== "summary") { draw(document.getElementById(panel.panel), panel); offer(document.getElementById(panel.panel), panel); }
register([
  { id: "refresh", keys: ["r"], label: "Ask for the newest numbers", run: refresh },
  { id: "next-actions", keys: ["n"], label: "To what to do next", run: reach("#next-title") },
  { id: "filters", keys: ["f"], label: "To the filters", run: reach("#filter-domain") },
  { id: "live", keys: ["l"], label: "Live updates on or off", run: () => setLive(!isLive) },
]);
find("#live").hidden = false;
find("#live").addEventListener("click", () => setLive(!isLive));
setLive(true);
// For tests: what is drawn, without looking at pixels.
window.dashboard = { charts: drawn };
