/**
 * The set-up of a study: the list of steps, the open step, and the word whether all is saved.
 * Decides which step is open and when it is drawn again; refuses to know what a step holds: each is a module of setup/.
 */

import "../keys.js";
import { get, put } from "../api.js";
import { boot, el, find, replace, say, toast } from "../dom.js";
import * as basics from "../setup/basics.js";
import * as checklist from "../setup/checklist.js";
import * as classes from "../setup/classes.js";
import * as domains from "../setup/domains.js";
import { heading } from "../setup/fields.js";
import * as launch from "../setup/launch.js";
import * as members from "../setup/members.js";
import * as policy from "../setup/policy.js";
import * as publication from "../setup/publication.js";
import * as region from "../setup/region.js";
import { tell, tellSaved } from "../setup/saving.js";
import * as slides from "../setup/slides.js";

const STEPS = { basics, slides, domains, classes, region, policy, members, checklist, publication, launch };
const LARGEST_KEPT_ALIVE = 60_000;
const PLACE = `concord.setup.${boot().person}`;

/** What every step is given: the state as the server has it, and ways to change it. */
const page = {
  state: boot().setup,
  step: null,

  stepOf(id) { return page.state.steps.find((one) => one.id === id); },

  /** Save a part; resolves to true, or raises the ApiError after saying that it was not saved. `make` gives the body. */
  save(path, make) {
    // One after the other: an older save must not arrive after a newer one.
    saving = saving.catch(() => {}).then(() => saveNow(path, typeof make === "function" ? make() : make));
    return saving;
  },

  /** Read the state again: something else than a save has changed it. */
  async refresh() { take(await get("setup/")); },

  go(id) { open(id, { push: true, focus: true }); },
};

let saving = Promise.resolve();

async function saveNow(path, body) {
  tell("Saving…");
  try {
    // What was typed last outlives the page, as far as browsers allow.
    take(await put(`setup/${path}/`, body, { keepalive: JSON.stringify(body).length < LARGEST_KEPT_ALIVE }));
    tellSaved();
    return true;
  } catch (error) {
    tell("Not saved", "bad");
    throw error;
  }
}

function take(state) {
  page.state = state;
  drawSteps();
}

/** The list is made once: a save that is answered late must not take the focus from who walks along it. */
function drawSteps() {
  const list = find("#steps");
  if (!list.children.length) list.append(...page.state.steps.map(stepItem));
  const lacking = page.state.steps.reduce((sum, one) => sum + one.missing.length, 0);
  for (const one of page.state.steps) {
    const item = find(`[data-step=${one.id}]`, list);
    item.dataset.lacking = String(one.missing.length);
    const link = find("a", item);
    if (one.id === page.step) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
    const word = standing(one, lacking);
    const badge = find(".badge", item);
    badge.textContent = word;
    badge.className = `badge ${word.endsWith("missing") ? "warn" : "good"}`;
  }
}

function stepItem(one) {
  const link = el("a", { href: `?step=${one.id}`, on: { click: (event) => follow(event, one.id) } },
    el("span", { class: "step-name", text: one.title }), el("span", { class: "badge" }));
  return el("li", { dataset: { step: one.id } }, link);
}

/** A step in a word; `lacking` is what all of them lack together. */
function standing(one, lacking) {
  if (one.id !== "launch") return one.missing.length ? `${one.missing.length} missing` : one.fixed ? "fixed" : "complete";
  if (page.state.state !== "draft") return "done";
  return lacking ? `${lacking} missing` : "ready";
}

function follow(event, id) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(id, { push: true, focus: true });
}

let leave = null;

async function open(id, { push = false, focus = false } = {}) {
  await leave?.();
  page.step = id;
  localStorage.setItem(PLACE, id);
  if (push) history.pushState({}, "", `?step=${id}`);
  drawSteps();
  const panel = find("#step");
  panel.dataset.open = id;
  panel.removeAttribute("data-ready");
  const body = el("div", { class: "step-body" });
  const notes = el("ul", { class: "checks", id: "step-notes" });
  replace(panel, heading(page.stepOf(id)), body, notes, around(id));
  leave = null;
  const done = (await STEPS[id].draw(body, page)) ?? null;
  // Somebody in a hurry has opened another step meanwhile.
  if (page.step !== id || !body.isConnected) return void done?.();
  leave = done;
  panel.dataset.ready = id;
  if (focus) {
    find("#step-title").focus();
    say(`Step ${page.stepOf(id).title}`);
  }
}

/** The ways to the step before and the next one. */
function around(id) {
  const names = Object.keys(STEPS);
  const at = names.indexOf(id);
  const button = (other, word, kind) => other && el("button", { type: "button", class: kind, on: { click: () => page.go(other) } }, `${word}: ${page.stepOf(other).title}`);
  return el("div", { class: "buttons step-ways" }, button(names[at - 1], "Back", "quiet"), button(names[at + 1], "Next", "primary"));
}

function asked() {
  const wanted = new URLSearchParams(location.search).get("step") ?? localStorage.getItem(PLACE);
  if (wanted in STEPS) return wanted;
  return page.state.steps.find((one) => one.missing.length)?.id ?? "launch";
}

window.addEventListener("popstate", () => open(asked()));
window.addEventListener("pagehide", () => leave?.());
open(asked()).catch((error) => toast(error.message, { kind: "bad" }));
