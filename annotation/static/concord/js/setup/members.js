/**
 * The people of a study: added by user name or with a new account, their roles, their training.
 * Decides when to offer an account; who may get one is decided on the server. A first password is shown once.
 */

import { del, get, post, put } from "../api.js";
import { ask, boot, el, replace, say, toast } from "../dom.js";
import { complain, field, keepFocus } from "./fields.js";

export async function draw(body, page) {
  const table = el("tbody");
  const secret = el("div", { id: "first-password", role: "status" });
  const username = el("input", { id: "member-name", autocomplete: "off", maxlength: 150, required: true });
  const role = roles("member-role", "annotator");
  const form = el("form", { class: "row-form", on: { submit: (event) => { event.preventDefault(); add(); } } },
    field("User name", username, { hint: "Of an account, or of one that you want to make." }), field("Role", role), el("button", { type: "submit", class: "primary" }, "Add"));
  body.append(
    el("p", { text: "Annotators answer; adjudicators answer too and settle what annotators do not agree on; managers see everything and answer nothing. Nobody sees another's answers while answering." }),
    el("div", { class: "scroll", role: "region", "aria-label": "Members", tabindex: "0" },
      el("table", { id: "members" }, el("caption", { class: "visually-hidden" }, "Members of the study"),
        el("thead", {}, el("tr", {}, ["Known as", "User name", "Role", "Training done", "Entry test"].map((name) => el("th", { scope: "col" }, name)), el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, "Remove")))), table)),
    secret, el("h3", { text: "Add a person" }), form);
  await load();

  async function load() {
    const people = await get("setup/members/");
    keepFocus(() => replace(table, people.map(line)));
    await page.refresh();
  }

  function line(person) {
    const choice = roles(`role-${person.id}`, person.role);
    choice.setAttribute("aria-label", `Role of ${person.username}`);
    choice.addEventListener("change", () => change(person, { role: choice.value }));
    const trained = el("input", { type: "checkbox", id: `trained-${person.id}`, checked: person.is_trained, "aria-label": `${person.username} has finished the training` });
    trained.addEventListener("change", () => change(person, { is_trained: trained.checked }));
    return el("tr", {}, el("td", { text: person.id }), el("th", { scope: "row", text: person.username }), el("td", {}, choice), el("td", {}, trained), el("td", {}, test(person)),
      el("td", {}, el("button", { type: "button", class: "small quiet", "aria-label": `Remove ${person.username}`, on: { click: () => remove(person) } }, "Remove")));
  }

  function test(person) {
    const failed = person.qualification.startsWith("failed");
    const act = (words, body) => el("button", { type: "button", class: "small", "aria-label": `${words}: ${person.username}`, on: { click: () => change(person, body) } }, words);
    return [el("span", { text: person.qualification || "none" }), ...(failed ? [" ", act("Another try", { another_try: true }), " ", act("Let work", { is_qualified: true })] : [])];
  }

  async function change(person, body) {
    await run(() => put(`setup/members/${person.id}/`, body));
  }

  async function remove(person) {
    const sure = await ask({ title: `Remove ${person.username}?`, body: "Answers that were given stay. What the person holds goes back to the queue.", confirm: "Remove", danger: true });
    if (sure) await run(() => del(`setup/members/${person.id}/`));
  }

  async function run(send) {
    try {
      await send();
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
    await load();
  }

  async function add(isNew = false) {
    const name = username.value.trim();
    if (!name) return;
    try {
      const { person, password } = await post("setup/members/", { username: name, role: role.value, new_account: isNew });
      if (!person) return offer(name);
      complain(username, "");
      username.value = "";
      if (password) showPassword(name, password);
      say(`${name} takes part as ${person.role}.`);
      await load();
      username.focus();
    } catch (error) {
      complain(username, error.message);
      username.focus();
    }
    return null;
  }

  async function offer(name) {
    const sure = await ask({ title: "Make an account?", body: `There is no account “${name}”. A new one gets a random first password, which is shown once. It opens this site's own screens and no rows.`, confirm: "Make the account" });
    if (sure) await add(true);
    else username.focus();
  }

  function showPassword(name, password) {
    // Beside those that stand there: the one before may not have been written down yet.
    const note = el("div", { class: "note good" },
      el("p", {}, "First password of ", el("strong", { text: name }), ": ", el("code", { class: "password", text: password })),
      el("p", { text: "It is shown only now: write it down or hand it over. It can be changed under “Change password” at the top of each page." }),
      el("button", { type: "button", class: "small", on: { click: () => { note.remove(); username.focus(); } } }, "I have kept it"));
    secret.append(note);
  }
}

function roles(id, value) {
  return el("select", { id }, boot().roles.map((one) => el("option", { value: one.value, selected: one.value === value }, one.label)));
}
