/**
 * One person's sessions, each of which can be set aside after a look at what would happen; and erasing the person.
 * Decides how it is asked; what becomes of the truth, the server says.
 */

import { get, post } from "../api.js";
import { ask, boot, count, el, moment, number, percent, replace, toast } from "../dom.js";

const REASON = { name: "reason", label: "Reason", type: "textarea", required: true, maxlength: 2000, hint: "Kept in the history for good: name nobody." };

export class People {
  #chosen = "";

  constructor(node, { onDone }) {
    Object.assign(this, { node, onDone, list: el("div", { class: "sessions" }) });
    this.choice = el("select", { id: "person", on: { change: () => { this.#chosen = this.choice.value; this.load(); } } },
      el("option", { value: "", text: "Choose a person" }),
      boot().people.map((one) => el("option", { value: one.id, text: one.is_erased ? one.name : `${one.id} · ${one.name} (${one.role})` })));
    replace(node, el("div", { class: "field" }, el("label", { for: "person", text: "Person" }), this.choice), this.list);
  }

  async load() {
    if (!this.#chosen) {
      replace(this.list, el("p", { class: "empty", text: "Choose a person to see when he or she worked, and how often the truth agrees." }));
      return;
    }
    const person = boot().people.find((one) => one.id === this.#chosen);
    const sessions = await get(`ledger/people/${person.id}/sessions/`);
    replace(this.list,
      sessions.length ? table(sessions, (one) => this.#setAside(person, one)) : el("p", { class: "empty", text: "No answer of this person counts." }),
      el("p", { class: "buttons" }, person.is_erased
        ? el("span", { class: "hint", text: "Name and free text of this person have been erased." })
        : el("button", { type: "button", class: "small danger", on: { click: () => this.#erase(person) } }, `Erase name and free text of ${person.id}…`)));
  }

  async #setAside(person, one) {
    const path = `ledger/people/${person.id}/set-aside/`;
    const ends = { since: one.since, until: one.until };
    await this.#run(async () => {
      const told = await post(path, { ...ends, reason: "Preview.", dry_run: true });
      const given = await ask({ title: `Set this session of ${person.id} aside?`, confirm: "Set it aside", danger: true, body: preview(told), fields: [REASON] });
      if (!given) return;
      const done = await post(path, { ...ends, ...given });
      toast(`${count(done.answers, "answer")} set aside by entry ${number(done.position)}.`, { kind: "good" });
      await this.onDone();
    });
  }

  async #erase(person) {
    const path = `ledger/people/${person.id}/erase/`;
    await this.#run(async () => {
      const told = await post(path, { dry_run: true });
      const body = el("div", {},
        el("p", { text: `This erases ${count(told.comments, "comment")}, ${count(told.drafts, "draft")} and ${count(told.skips, "reason of a skip", "reasons of skips")}, ends the membership${told.account ? ", and makes the account nobody's" : "; the account stays, as another study needs it"}.` }),
        el("p", { text: "Answers stay under the pseudonym, and the ledger stays valid. Reasons of decisions are part of the history and can't be erased. Backups made before still hold what is erased: they need their own end." }),
        el("p", {}, el("strong", { text: "It can't be taken back." })));
      const sure = await ask({ title: `Erase ${person.id}?`, confirm: "Erase for good", danger: true, body });
      if (!sure) return;
      await post(path);
      Object.assign(person, { is_erased: true, name: `erased person ${person.id}` });
      this.choice.selectedOptions[0].textContent = person.name;
      toast(`${person.id} has been erased.`, { kind: "good" });
      await this.onDone();
    });
  }

  async #run(act) {
    try {
      await act();
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }
}

function table(sessions, setAside) {
  return el("table", { id: "sessions" }, el("caption", { text: "Sessions: answers without a pause of more than half an hour" }),
    el("thead", {}, el("tr", {}, ["From", "To", "Answers that count", "Agree with the truth", "Do"].map((text) => el("th", { scope: "col", text })))),
    el("tbody", {}, sessions.map((one) => el("tr", {},
      el("th", { scope: "row", text: moment(one.since) }), el("td", { text: moment(one.until) }), el("td", { class: "number", text: number(one.answers) }),
      el("td", { class: "number", text: one.judged ? `${percent(one.agreed / one.judged, 0)} of ${number(one.judged)}` : "–" }),
      el("td", {}, el("button", { type: "button", class: "small", on: { click: () => setAside(one) } }, "Set aside…", el("span", { class: "visually-hidden", text: ` the session of ${moment(one.since)}` })))))));
}

function preview(told) {
  const lines = [
    told.kept && `${count(told.kept, "region")} keep the class on what remains.`,
    told.relabelled && `${count(told.relabelled, "region")} get another class.`,
    told.reopened && `${count(told.reopened, "region")} are open again, and others are asked.`,
    told.adjudicated && `${count(told.adjudicated, "region")} go to an adjudicator again.`,
    told.waiting && `${count(told.waiting, "region")} were open and stay so.`,
    told.decided && `${count(told.decided, "region")} stand by somebody's decision.`,
    told.released && `${count(told.released, "region")} are in a release, which stays as it is.`,
  ];
  return el("div", {}, el("p", { text: `${count(told.answers, "answer")} no longer count. Gold and repeats stay: they judge the person.` }),
    el("ul", { class: "preview" }, lines.filter(Boolean).map((text) => el("li", { text }))));
}
