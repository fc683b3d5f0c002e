/**
 * The draft of the next version: its classes, what becomes of the old ones, why, and what publishing it would do.
 * Decides when the draft is saved and counted anew; each part decides the rest for itself.
 */

import { del, get, post, put } from "../api.js";
import { ask, el, replace, say, toast } from "../dom.js";
import { draw as drawClasses } from "../setup/classes.js";
import { complain, field, sentences } from "../setup/fields.js";
import { later, tell, tellSaved } from "../setup/saving.js";
import { drawImpact, told } from "./impact.js";
import { Mapping } from "./mapping.js";

const NO_STEP = { fixed: "", missing: [], notes: [] };

/** Draw the draft into `element`. */
export async function drawDraft(element) {
  let state = await get("protocols/draft/");
  let impact = null;
  let saving = Promise.resolve();
  const classes = el("div", { class: "step-body" });
  const table = el("table", { id: "mapping" }, el("caption", { text: `What becomes of the classes of version ${state.number - 1}` }),
    el("thead", {}, el("tr", {}, ["Class", "What becomes of it", "Where it goes", "What hangs on it", "Then"].map((text) => el("th", { scope: "col", text })))), el("tbody"));
  const summary = el("textarea", { id: "summary", rows: 3, maxlength: 2000, value: state.summary });
  const panel = el("div", { id: "impact", class: "impact", "aria-live": "polite" });
  const problems = el("ul", { class: "checks", id: "draft-problems" });
  const publish = el("button", { type: "button", id: "publish", class: "primary", on: { click: ready } }, `Publish version ${state.number}`);
  const mapping = new Mapping(table, { before: state.before, mappings: state.mappings, onChange: () => change() });
  const change = later(() => save(current()).catch(() => {}));
  let current = () => ({ classes: state.classes.map(bodyOf), guideline: state.guideline });

  const page = {
    get state() { return { classes: state.classes, guideline: state.guideline, classes_digest: state.digest }; },
    stepOf: () => NO_STEP,
    save: (_, make) => {
      const { classes: list, guideline } = make();
      mapping.follow(list);
      current = () => ({ classes: list, guideline });
      return save(current());
    },
  };
  replace(element,
    el("p", { class: "hint", text: "Everything saves by itself, and nobody is shown the draft. Annotators go on with the version in force until you publish." }),
    classes, el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "What becomes of the classes" }, table), problems,
    field("What this version changes, and why", summary, { hint: "Everybody in the study reads it, and it stays in the history." }),
    panel,
    el("div", { class: "buttons" }, publish, el("button", { type: "button", id: "discard", on: { click: discard } }, "Throw the draft away")));
  const flush = drawClasses(classes, page);
  summary.addEventListener("input", change);
  mapping.follow(state.classes);
  await countAnew();

  function save(body) {
    // One after the other: an older save must not arrive after a newer one.
    saving = saving.catch(() => {}).then(() => saveNow(body));
    return saving;
  }

  async function saveNow(body) {
    tell("Saving…");
    try {
      const sent = { ...body, mappings: mapping.value, summary: summary.value, seen: state.digest };
      const saved = await put("protocols/draft/", sent);
      state = { ...saved, classes: state.classes, guideline: state.guideline };
      tellSaved();
      replace(problems);
      complain(summary, "");
      await countAnew();
      return true;
    } catch (error) {
      tell("Not saved", "bad");
      publish.disabled = true;
      const known = (error.details?.problems ?? []).map((one) => one.message);
      replace(problems, sentences(known.length ? known : [error.message], "bad", "!"));
      say(error.message, { assertive: true });
      throw error;
    }
  }

  async function countAnew() {
    try {
      impact = await get("protocols/draft/impact/");
      mapping.show(impact.classes);
      drawImpact(panel, impact);
      publish.disabled = false;
    } catch (error) {
      publish.disabled = true;
      toast(error.message, { kind: "bad" });
    }
  }

  async function ready() {
    await flush?.();
    await change.flush();
    await saving.catch(() => {});
    if (publish.disabled) return;
    if (!summary.value.trim()) {
      complain(summary, "Say what changes, and why, before you publish.");
      summary.focus();
      return;
    }
    const body = el("div", {}, el("ul", {}, told(impact).map((text) => el("li", { text }))), el("p", { text: "A published version never changes, and there is no way back but another version." }));
    const given = await ask({ title: `Publish version ${state.number}?`, body, confirm: `Publish: ${impact.queued} to be seen again`, danger: impact.queued > 0 });
    if (!given) return;
    publish.disabled = true;
    tell("Publishing…");
    try {
      await post("protocols/draft/publish/", { seen: impact.digest });
      location.reload();
    } catch (error) {
      tell("Not published", "bad");
      publish.disabled = false;
      toast(error.message, { kind: "bad" });
    }
  }

  async function discard() {
    if (!(await ask({ title: "Throw the draft away?", body: "What you have changed here is lost. The version in force stays as it is.", confirm: "Throw the draft away", danger: true }))) return;
    try {
      await del("protocols/draft/");
      location.reload();
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }
}

function bodyOf({ is_special: special, ...one }) { return { ...one, special }; }
