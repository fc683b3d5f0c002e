/**
 * The list of changes between two sets of labels: counts by kind, flows between classes, a page of regions, a table.
 * Decides how changes are leafed through; refuses to compare anything itself.
 */

import { get, url } from "./api.js";
import { byCode, label } from "./classes.js";
import { boot, count, el, number, replace, say } from "./dom.js";

const KINDS = [
  ["relabelled", "Changed label", "regions that bear another label now"],
  ["removed", "Removed", "regions that are no longer in it"],
  ["moved", "Moved split", "regions that went to another split"],
  ["added", "Added", "regions that are new"],
];
const PAGE = 50;

/** Show the changes that `path` (below the study's API) tells, in `node`. `query`: {since} or nothing. */
export async function showChanges(node, path, query = {}) {
  node.setAttribute("aria-busy", "true");
  try {
    const first = await ask(path, query, { kind: "", start: 0, size: 1 });
    replace(node, summary(first), first.against === null ? null : tabs(node, path, query, first.counts));
  } catch (error) {
    replace(node, el("p", { class: "note bad", text: error.message }));
  } finally {
    node.removeAttribute("aria-busy");
  }
}

const ask = (path, query, more) => get(`${path}?${parameters({ ...query, ...more })}`);

function parameters(values) {
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined));
}

function summary({ against, counts, flows }) {
  if (against === null) return el("p", { text: `There is no earlier release: all ${count(counts.added, "region")} are new.` });
  const changed = KINDS.reduce((sum, [kind]) => sum + counts[kind], 0);
  return el("div", {},
    el("p", { text: changed
      ? `Against release ${against}: ${count(changed, "region")} differ${changed === 1 ? "s" : ""}, ${number(counts.unchanged)} are as they were.`
      : `Nothing differs from release ${against}: ${count(counts.unchanged, "region")} as they were.` }),
    flows.length ? flowTable(flows) : null);
}

function flowTable(flows) {
  return el("table", { class: "flows" },
    el("caption", { text: "Which labels became which" }),
    el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "Was" }), el("th", { scope: "col", text: "Is now" }), el("th", { scope: "col", class: "number", text: "Regions" }))),
    el("tbody", {}, flows.slice(0, 12).map((flow) => el("tr", {}, el("td", {}, label(byCode(flow.before))), el("td", {}, label(byCode(flow.after))), el("td", { class: "number", text: number(flow.count) })))));
}

function tabs(node, path, query, counts) {
  const place = el("div", { class: "change-list" });
  const buttons = KINDS.map(([kind, said, hint]) => el("button", {
    type: "button", class: "small", "aria-pressed": "false", title: hint, disabled: !counts[kind], dataset: { kind },
    on: { click: () => open(kind) },
  }, `${said}: ${number(counts[kind])}`));
  async function open(kind) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    await list(place, path, query, kind, 0);
  }
  const csv = el("a", { class: "button small quiet", download: true, href: url(path.replace(/\/$/, `.csv?${parameters(query)}`)) }, "All changes as CSV");
  return el("div", {}, el("div", { class: "buttons" }, buttons, csv), place);
}

async function list(place, path, query, kind, start) {
  const page = await ask(path, query, { kind, start, size: PAGE });
  const said = KINDS.find(([name]) => name === kind)[1];
  const last = start + page.results.length;
  replace(place,
    el("table", {},
      el("caption", { text: `${said}: ${number(start + 1)} to ${number(last)} of ${number(page.counts[kind])}` }),
      el("thead", {}, el("tr", {}, ["Region", "Label before", "Label after", "Split"].map((text) => el("th", { scope: "col", text })))),
      el("tbody", {}, page.results.map(line))),
    el("p", { class: "pages" },
      start > 0 && el("button", { type: "button", class: "small", on: { click: () => list(place, path, query, kind, Math.max(0, start - PAGE)) } }, "Previous page"),
      page.next !== null && el("button", { type: "button", class: "small", on: { click: () => list(place, path, query, kind, page.next) } }, "Next page")));
  say(`${said}: ${count(page.counts[kind], "region")}`);
}

function line(change) {
  const split = change.split_before === change.split_after ? change.split_after : [change.split_before, change.split_after].filter(Boolean).join(" → ");
  return el("tr", {},
    el("th", { scope: "row" }, el("a", { href: `${boot().screens}regions/${change.region}/` }, change.region)),
    el("td", {}, change.label_before ? label(byCode(change.label_before)) : "–"),
    el("td", {}, change.label_after ? label(byCode(change.label_after)) : "–"),
    el("td", { text: split }));
}
