/**
 * What is ticked: some findings one by one, or all that fit a filter, with their number; and the bar that decides them.
 * Decides what a bulk decision is about; refuses to carry it out.
 */

import { boot, count, el, replace, say } from "../dom.js";
import { REOPEN, labelOf } from "./decisions.js";

/** `bar`: where the buttons go. `decide(fix, chosen)` carries out; `onChange` redraws the ticks. */
export function createSelection(bar, { decide, onChange }) {
  const ticked = new Map();
  let all = null;

  const size = () => (all ? all.count : ticked.size);
  const chosen = () => (all ? { where: all.where, count: all.count } : { ids: [...ticked.keys()] });

  function set(finding, isOn) {
    if (all) clear();
    if (isOn) ticked.set(finding.id, finding);
    else ticked.delete(finding.id);
    draw();
  }

  function setAll(found) {
    ticked.clear();
    all = found;
    draw();
    onChange();
    say(`All ${count(found.count, "open finding")} of ${found.title} selected.`);
  }

  function clear() {
    ticked.clear();
    all = null;
    draw();
    onChange();
  }

  /** What may be done with all that is selected. */
  function fixes() {
    if (all) return all.fixes;
    const found = [...ticked.values()];
    if (found.every((one) => one.state !== "open")) return [REOPEN];
    if (found.some((one) => one.state !== "open")) return [];
    return Object.keys(boot().fixes).filter((fix) => found.every((one) => one.fixes.includes(fix)));
  }

  function draw() {
    bar.hidden = size() === 0;
    if (bar.hidden) return;
    const allowed = fixes();
    replace(bar,
      el("p", {}, el("strong", { text: `${count(size(), "finding")} selected` }), all ? ` of ${all.title}` : ""),
      allowed.length ? null : el("p", { class: "hint", text: "Open and closed findings can't be decided together." }),
      allowed.map((fix) => el("button", { type: "button", dataset: { fix }, on: { click: () => decide(fix, chosen()) } }, labelOf(fix))),
      el("button", { type: "button", class: "quiet", on: { click: clear } }, "Clear the selection"));
  }

  const has = (finding) => ticked.has(finding.id) || Boolean(all && all.where.rule === finding.rule && finding.state === "open");
  return { set, setAll, clear, has, size, chosen, fixes };
}
