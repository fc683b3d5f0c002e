/**
 * The findings of one rule: what the rule means, its counts, and its findings a page at a time.
 * Decides how a rule is told and which page is loaded; refuses to decide about findings.
 */

import { get } from "../api.js";
import { boot, count, el, number, replace, say, toast } from "../dom.js";
import { card } from "./card.js";

const FIRST = 6;
const MORE = 24;
const NONE = { open_blockers: 0, open_warnings: 0, fixed: 0, accepted: 0, waived: 0, lapsing: 0, lapsed: 0 };

/** A section for `group`; `filters` are those of the page, `selection` knows what is ticked, `decide` carries out. */
export function createGroup(group, { filters, selection, decide, isAlone }) {
  const list = el("div", { class: "findings" });
  const more = el("button", { type: "button", class: "more", hidden: true, on: { click: () => load() } }, "Show more");
  const counts = el("span", { class: "counts" });
  const all = el("button", { type: "button", class: "small select-all", on: { click: () => selectAll() } });
  const node = el("section", { class: "panel rule-group", "aria-labelledby": `rule-${group.rule}`, dataset: { rule: group.rule } },
    el("div", { class: "title-row" }, el("h2", { id: `rule-${group.rule}`, text: group.title }), counts, all),
    el("p", { class: "meaning" }, group.meaning, " ", el("span", { class: "hint", text: group.stakes })),
    effects(group), list, more);
  const wanted = { ...filters, rule: group.rule };
  const found = new Map();
  const isReadOnly = filters.since === "gone" || boot().pass.release !== null;
  let next = null;

  function show(given) {
    const counted = { ...NONE, ...given };
    const open = counted.open_blockers + counted.open_warnings;
    const parts = [[counted.open_blockers, "open blocker", "bad"], [counted.open_warnings, "open warning", "warn"], [counted.fixed, "fixed since", "info"], [counted.accepted, "accepted", "good"], [counted.waived - counted.lapsed, "waived", "info"], [counted.lapsing, "waiver running out soon", "warn"], [counted.lapsed, "waiver run out", "bad"]];
    replace(counts, parts.filter(([many]) => many > 0).map(([many, said, kind]) => el("span", { class: `badge ${kind}`, text: /open/.test(said) ? count(many, said) : `${number(many)} ${said}` })));
    all.hidden = isReadOnly || !open || !group.fixes.length;
    all.dataset.count = open;
    all.textContent = `Select all ${number(open)} open of this rule`;
  }

  async function load() {
    more.disabled = true;
    try {
      const query = new URLSearchParams({ ...wanted, size: found.size ? MORE : isAlone ? MORE : FIRST, ...(next ? { after: next } : {}) });
      const page = await get(`passes/${boot().pass.number}/findings/?${query}`);
      next = page.next;
      for (const finding of page.results) add(finding);
      more.hidden = next === null;
      if (found.size > page.results.length) say(`${count(page.results.length, "more finding")} shown.`);
    } catch (error) {
      toast(error.message, { kind: "bad" });
    } finally {
      more.disabled = false;
    }
  }

  const on = isReadOnly ? null : { decide: (fix, finding) => decide(fix, { ids: [finding.id] }, finding), select: (finding, isOn) => selection.set(finding, isOn) };

  function add(finding) {
    found.set(finding.id, finding);
    list.append(card(finding, { on, isSelected: selection.has(finding) }));
  }

  function selectAll() {
    selection.setAll({ where: { ...wanted, state: "open" }, count: Number(all.dataset.count), fixes: group.fixes, title: group.title });
  }

  /** Ask for these findings again, whatever the filters now say of them. */
  async function reload(ids) {
    for (let at = 0; at < ids.length; at += 100) {
      const part = ids.slice(at, at + 100);
      const page = await get(`passes/${boot().pass.number}/findings/?${new URLSearchParams({ ids: part.join(","), size: 100 })}`);
      page.results.forEach(update);
    }
  }

  /** Draw one finding anew. */
  function update(finding) {
    const old = list.querySelector(`[data-finding="${finding.id}"]`);
    found.set(finding.id, finding);
    const fresh = card(finding, { on, isSelected: selection.has(finding) });
    old?.replaceWith(fresh);
    return fresh;
  }

  show(group.counts);
  return { node, rule: group.rule, found, show, load, reload, selectAll, hasMore: () => next !== null, redraw: () => [...found.values()].forEach(update) };
}

function effects(group) {
  if (!group.fixes.length) return null;
  return el("details", {}, el("summary", { text: "What can be done about it" }),
    el("dl", { class: "effects" }, group.fixes.map((fix) => boot().fixes[fix]).flatMap(({ label, effect }) => [el("dt", { text: label }), el("dd", { text: effect })])));
}
