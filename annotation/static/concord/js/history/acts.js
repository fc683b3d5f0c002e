/**
 * What a manager can do about a region: decide, restore, send back, leave out, show as an example. Each asks for a reason.
 * Decides what is offered; the services decide what is allowed, and say so.
 */

import { del, get, post } from "../api.js";
import { byCode } from "../classes.js";
import { ask, boot, el, replace, toast } from "../dom.js";

const REASON = { name: "reason", label: "Reason", type: "textarea", required: true, maxlength: 2000, hint: "Kept in the history for good: name nobody." };

export class Acts {
  #examples = [];

  constructor({ region, onDone }) {
    Object.assign(this, { region, onDone, path: `regions/${region.id}/` });
    this.element = el("div", { class: "buttons" });
  }

  /** Learn of what classes the region is an example. */
  async learn() {
    const all = await get("examples/");
    this.#examples = all.filter((one) => one.region.id === this.region.id);
  }

  show(history) {
    const { state } = history.region;
    const isAnswered = history.revisions.length > 0 || history.events.some((event) => event.kind === "answer");
    const isAsked = ["queued", "adjudication"].includes(state);
    const button = (words, run, kind = "") => el("button", { type: "button", class: kind, on: { click: run } }, words);
    replace(this.element,
      button("Decide…", () => this.decide(history), "primary"),
      isAnswered && !isAsked && button("Send back to annotators…", () => this.sendBack()),
      state !== "excluded" && button("Leave out…", () => this.leaveOut()),
      this.#examples.length ? button(`No longer an example of ${byCode(this.#examples[0].label).name}`, () => this.hideExample())
        : history.region.label && !history.region.audit && !isAsked && button("Show as an example…", () => this.showExample(history.region.label)),
      isAsked && el("p", { class: "hint", text: "People are being asked about it now: a decision or a restore ends that." }));
  }

  async decide(history) {
    const given = await ask({
      title: "Decide over this region", confirm: "Decide", body: "Your word becomes the truth of this region, as a new revision.",
      fields: [classField(history.region.label), REASON],
    });
    if (given) await this.#do("decide/", { answer: { kind: "class", label: given.label }, reason: given.reason }, "Decided.");
  }

  async restore(number, history) {
    const revision = history.revisions.find((one) => one.number === number);
    const says = revision.is_excluded ? "left out of the dataset" : byCode(revision.label).name;
    const given = await ask({
      title: `Restore revision ${number}`, confirm: "Restore",
      body: `It said: ${says}. That becomes a new revision, ${history.revisions.length + 1}; all others stay as they are.`, fields: [REASON],
    });
    if (given) await this.#do("restore/", { number, reason: given.reason }, `Revision ${number} restored.`);
  }

  async sendBack() {
    const given = await ask({
      title: "Send it back to annotators", confirm: "Send back",
      body: "Two more people are asked; until then the region counts as open.",
      fields: [
        REASON,
        { name: "note", label: "Note to those who are asked again (optional)", type: "textarea", maxlength: 500, hint: "They judge blind: say where to look, not what others said." },
      ],
    });
    if (given) await this.#do("send-back/", given, "Sent back: people are asked again.");
  }

  async leaveOut() {
    const given = await ask({ title: "Leave it out of the dataset", confirm: "Leave out", danger: true, body: "No release will hold it, until a revision is restored or decided.", fields: [REASON] });
    if (given) await this.#do("decide/", { exclude: true, reason: given.reason }, "Left out of the dataset.");
  }

  async showExample(label) {
    const given = await ask({
      title: "Show it as an example", confirm: "Show it to everybody", body: "Every member sees its picture under this class: its truth is no secret any more.",
      fields: [classField(label), { name: "caption", label: "Caption (optional)", maxlength: 200 }],
    });
    if (given) await this.#do("", async () => { await post("examples/", { ...given, region: this.region.id }); await this.learn(); }, "Shown as an example.");
  }

  async hideExample() {
    const [{ label }] = this.#examples;
    const query = new URLSearchParams({ label, region: this.region.id });
    await this.#do("", async () => { await del(`examples/?${query}`); await this.learn(); }, "No longer an example.");
  }

  async #do(path, body, done) {
    try {
      await (typeof body === "function" ? body() : post(`${this.path}${path}`, body));
      toast(done, { kind: "good" });
      await this.onDone(done);
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }
}

function classField(value) {
  const options = (boot().classes ?? []).map((one) => ({ value: one.code, label: one.name }));
  return { name: "label", label: "Class", type: "select", options, value };
}
