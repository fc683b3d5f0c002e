/**
 * The page of one release: what it holds and changed, and the check of its files.
 * Decides nothing of its own; counts, changes and the check are the server's.
 */

import { get, post } from "../api.js";
import { showChanges } from "../changes.js";
import { composition } from "../composition.js";
import { boot, count, el, find, replace, say } from "../dom.js";
import "../keys.js";

const { release } = boot();

async function showHoldings() {
  const place = find("#holds");
  try {
    const { composition: counted } = await get(`passes/${release.pass}/preview/`);
    replace(place, composition(counted));
  } catch (error) {
    replace(place, el("p", { class: "note bad", text: error.message }));
  }
}

function showChangesAgainst(number) {
  return showChanges(find("#changes"), `releases/${release.number}/changes/`, number ? { since: number } : {});
}

async function verify(event) {
  const button = event.currentTarget;
  const place = find("#verified");
  button.disabled = true;
  replace(place, el("p", { class: "hint", text: "Reading every file, and every label against the ledger…" }));
  try {
    const found = await post(`releases/${release.number}/verify/`);
    replace(place, found.ok
      ? el("p", { class: "note good", text: `Everything fits: ${count(found.regions, "region")}, each label as the ledger says.` })
      : el("div", { class: "note bad" }, el("p", { text: `${count(found.problems.length, "thing")} that do not fit. Cut the release again from its pass to restore it.` }),
        el("ul", {}, found.problems.slice(0, 20).map((text) => el("li", { text })))));
  } catch (error) {
    replace(place, el("p", { class: "note bad", text: error.message }));
    say(error.message, { assertive: true });
  } finally {
    button.disabled = false;
    button.focus();
  }
}

const against = find("#against");
against?.addEventListener("change", () => showChangesAgainst(against.value));
find("#verify")?.addEventListener("click", verify);
showChangesAgainst(against?.value ?? "");
showHoldings();
