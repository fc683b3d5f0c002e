/**
 * The page of versions: compares them, and opens the draft of the next one.
 * Decides which part is shown; refuses to know how a draft is edited.
 */

import "../keys.js";
import { post } from "../api.js";
import { boot, el, find, replace, toast } from "../dom.js";
import { drawDifference } from "../protocol/difference.js";
import { drawDraft } from "../protocol/draft.js";

const body = find("#draft-body");

find("#compare")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await drawDifference(find("#difference"), find("#before").value, find("#after").value);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
});

function offer() {
  replace(body, el("p", { class: "empty" }, "Nothing is being changed. A draft begins as a copy of what is in force; nobody sees it before it is published."),
    el("div", { class: "buttons" }, el("button", { type: "button", id: "begin", class: "primary", on: { click: begin } }, "Change the protocol")));
}

async function begin() {
  try {
    const draft = await post("protocols/draft/");
    await open(draft.number);
    find("#draft-title").focus();
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

async function open(number) {
  find("#draft-title").textContent = `Draft of version ${number}`;
  await drawDraft(body);
}

if (body && boot().draft) await open(boot().draft).catch((error) => toast(error.message, { kind: "bad" }));
else if (body) offer();
