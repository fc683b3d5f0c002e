/**
 * One finding: what it says, pictures of its regions side by side with their labels, its decision, what can be done.
 * Decides how a finding looks; refuses to know how a decision reaches the server.
 */

import { url } from "../api.js";
import { byCode, label } from "../classes.js";
import { boot, duration, el, percent } from "../dom.js";

const BADGE = { open: "warn", resolved: "good", waived: "info" };
const SINCE = { new: "new", changed: "changed", kept: "seen before" };
const SOON = 14 * 24 * 3600;
const PICTURE = "image.jpg?edge=256&context=1.5";

/** The card of `finding`. `on`: {decide(fix, finding), select(finding, isOn)}; without it the card is only read. */
export function card(finding, { on = null, isSelected = false } = {}) {
  const name = `finding-${finding.id}`;
  return el("article", { class: `finding ${finding.state}`, tabindex: "-1", id: name, "aria-labelledby": `${name}-said`, dataset: { finding: finding.id, state: finding.state } },
    el("header", {},
      on && tick(finding, on, isSelected),
      el("p", { class: "marks" },
        el("span", { class: `badge ${finding.severity === "blocker" ? "bad" : "warn"}`, text: finding.severity }), " ",
        el("span", { class: `badge ${BADGE[finding.state]}`, text: finding.state }), " ",
        SINCE[finding.since] && el("span", { class: `badge ${finding.since === "kept" ? "" : "info"}`, text: SINCE[finding.since] })),
      el("h3", { id: `${name}-said`, text: finding.message })),
    finding.labels.length ? el("div", { class: "pictures" }, finding.labels.map(picture)) : null,
    el("p", { class: "hint", text: [finding.domain, finding.subject].filter(Boolean).join(" · ") }),
    decided(finding),
    on && buttons(finding, on));
}

function tick(finding, on, isSelected) {
  return el("input", {
    type: "checkbox", checked: isSelected, "aria-label": `Select the finding: ${finding.message}`,
    on: { change: (event) => on.select(finding, event.target.checked) },
  });
}

function picture(one) {
  const cls = byCode(one.seen);
  const said = one.seen ? cls.name : "no settled label";
  const moved = one.is_excluded ? "left out since" : one.now === one.seen ? "" : one.now ? `now ${byCode(one.now).name}` : one.seen && "open again";
  return el("figure", {},
    el("a", { href: `${boot().screens}regions/${one.region}/` },
      el("img", { src: url(`regions/${one.region}/${PICTURE}`), alt: `Region ${one.region}, ${said}: its history`, loading: "lazy", width: 176, height: 176 })),
    el("figcaption", {},
      one.seen ? label(cls) : el("span", { class: "hint", text: said }),
      one.confidence !== null && one.confidence !== undefined && el("span", { class: "hint", text: percent(one.confidence, 0), title: "What the consensus of the pass gives this label" }),
      moved && el("span", { class: "badge info", text: moved })));
}

function decided(finding) {
  if (finding.state === "open") {
    return finding.reason ? el("p", { class: "decision" }, "Reopened by ", finding.decided_by, ": ", el("q", { text: finding.reason })) : null;
  }
  const fix = boot().fixes[finding.decision]?.label ?? finding.state;
  const until = finding.waived_until ? ` until ${finding.waived_until.slice(0, 10)}` : "";
  const left = finding.waived_until ? (new Date(finding.waived_until) - Date.now()) / 1000 : Infinity;
  const runsOut = left > SOON ? null : el("span", { class: `badge ${left > 0 ? "warn" : "bad"}`, text: left > 0 ? `runs out in ${duration(left)}` : "has run out" });
  const carried = finding.carried_from ? `, carried over from pass ${finding.carried_from}` : "";
  return el("p", { class: "decision" }, el("strong", { text: `${fix}${until}` }), runsOut && " ", runsOut, ` by ${finding.decided_by}${carried}: `, el("q", { text: finding.reason }));
}

function buttons(finding, on) {
  const choices = finding.state === "open" ? finding.fixes.map((fix, at) => [fix, boot().fixes[fix].label, at === 0]) : [["reopen", "Reopen", false]];
  if (!choices.length) return el("p", { class: "hint", text: "This can be neither accepted nor waived: mend the cause, then run a new pass." });
  return el("div", { class: "buttons" }, choices.map(([fix, text, isFirst]) => el("button", {
    type: "button", class: `small ${isFirst ? "primary" : ""}`, dataset: { fix },
    "aria-describedby": `finding-${finding.id}-said`, on: { click: () => on.decide(fix, finding) },
  }, text)));
}
