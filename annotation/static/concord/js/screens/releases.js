/**
 * The page of releases: a preview of the next one, what stands before it, and cutting it.
 * Decides when the button may be pressed; whether a release is allowed the server says each time.
 */

import { get, post } from "../api.js";
import { showChanges } from "../changes.js";
import { composition } from "../composition.js";
import { ask, boot, count, el, find, replace, say, toast } from "../dom.js";
import { hint, register } from "../keys.js";

const SIGNS = { passed: ["✓", "good", "in order"], failed: ["✕", "bad", "stands before a release"], noted: ["!", "warn", "worth knowing"] };
const place = find("#preview");
const button = find("#cut");
const number = place?.dataset.pass;
let held = null;

async function showPreview() {
  place.setAttribute("aria-busy", "true");
  try {
    held = await get(`passes/${number}/preview/`);
    const changes = el("div", {});
    replace(place,
      el("h3", { text: "Checks" }), el("ul", { class: "checks" }, held.checks.map(check)),
      el("h3", { text: `What it would hold: ${count(held.composition.regions, "region")}` }), composition(held.composition),
      el("h3", { text: held.against === null ? "What it would change" : `What it would change against release ${held.against}` }), changes);
    button.disabled = false;
    showChanges(changes, `passes/${number}/changes/`);
  } catch (error) {
    replace(place, el("p", { class: "note bad", text: error.message }));
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function check(one) {
  const [sign, kind, said] = SIGNS[one.state];
  const more = one.rule && el("a", { href: `${boot().screens}passes/${number}/?rule=${one.rule}&blocks=true`, text: `See ${one.count === 1 ? "it" : `these ${count(one.count, "finding")}`}` });
  return el("li", { class: kind, dataset: { check: one.code, state: one.state } },
    el("span", { class: `badge ${kind}`, title: said }, el("span", { "aria-hidden": "true", text: sign }), el("span", { class: "visually-hidden", text: `${said}: ` })),
    el("span", {}, one.sentence, " ", more));
}

async function cut() {
  if (!held || button.getAttribute("aria-disabled") === "true") return;
  const warned = held.checks.filter((one) => one.state !== "passed").map((one) => el("li", { text: one.sentence }));
  const body = el("div", {},
    el("p", { text: `${count(held.composition.regions, "region")} of pass ${number} become a release that never changes. It will say that you cut it: ${boot().me}.` }),
    warned.length ? el("ul", {}, warned) : null);
  const said = await ask({ title: `Cut a release from pass ${number}?`, body, confirm: "Cut the release" });
  if (said) await freeze();
}

/** Cutting twice gives the same release; the button waits all the same, so that nobody has to wonder. */
async function freeze() {
  setBusy(true);
  replace(find("#refusal"));
  try {
    const made = await post("releases/", { consistency_pass: Number(number) });
    location.assign(`${boot().screens}releases/${made.number}/`);
  } catch (error) {
    setBusy(false);
    if (error.status === 409) await refuse(error);
    else toast(error.message, { kind: "bad" });
  }
}

function setBusy(isBusy) {
  button.setAttribute("aria-disabled", String(isBusy));
  button.setAttribute("aria-busy", String(isBusy));
  replace(button, isBusy ? "Writing and checking the files…" : ["Cut the release… ", hint("cut")]);
  if (isBusy) say("The release is being cut. Large ones take some seconds.");
}

/** What stands before the release, by rule, each with the way to it. */
async function refuse(error) {
  await showPreview();
  const open = held.checks.filter((one) => one.state === "failed");
  const box = find("#refusal");
  replace(box, el("div", { class: "note bad" },
    el("p", {}, el("strong", { text: "This pass can't be released yet." })),
    open.length ? el("ul", { class: "checks" }, open.map(check)) : el("p", { text: error.message }),
    el("p", {}, "Decide about each of them in the ", el("a", { href: `${boot().screens}passes/${number}/?blocks=true`, text: `findings of pass ${number}` }),
      "; what was fixed needs a new pass.")));
  box.focus();
}

if (place) {
  register([{ id: "cut", keys: ["Ctrl+Enter"], label: "Cut the release", run: cut }]);
  replace(button, "Cut the release… ", hint("cut"));
  button.addEventListener("click", cut);
  find("#pass").addEventListener("change", () => find("#choose").requestSubmit());
  showPreview();
}
