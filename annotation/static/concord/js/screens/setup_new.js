/**
 * Begin a study: from nothing, from a study.toml, or from a whole folder on the server.
 * Decides what is suggested (a short name); whether it holds is decided on the server.
 */

import { post } from "../api.js";
import { boot, count, el, find, replace, say } from "../dom.js";
import { slugify } from "../setup/classes.js";

const name = find("#name");
const slug = find("#slug");
const definition = find("#definition");
let isOwn = false;

slug.addEventListener("input", () => { isOwn = slug.value !== ""; });
name.addEventListener("input", () => { if (!isOwn) slug.value = slugify(name.value); });
definition.addEventListener("change", async () => {
  // The name in the file is a fair first suggestion; it stands on a line of its own.
  const found = /^name\s*=\s*"((?:[^"\\]|\\.)*)"/m.exec((await definition.files[0]?.text()) ?? "");
  if (found && !name.value) {
    name.value = JSON.parse(`"${found[1]}"`);
    if (!isOwn) slug.value = slugify(name.value);
  }
});

find("#begin").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = (await definition.files[0]?.text()) ?? "";
  try {
    const made = await post("/api/studies/", { name: name.value, slug: slug.value, definition: text });
    location.assign(`${boot().screens}${made.slug}/setup/`);
  } catch (error) {
    complain(error);
  }
});

find("#import")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const isCheck = event.submitter?.value === "check";
  const body = { folder: find("#folder").value, slug: find("#import-slug").value, dry_run: isCheck };
  replace(find("#problems"));
  find("#imported").textContent = isCheck ? "Checking every slide; this can take minutes." : "Importing; this can take minutes.";
  try {
    const found = await post("/api/import/", body);
    if (!isCheck) return location.assign(`${boot().screens}${found.slug}/setup/`);
    find("#imported").textContent = ["The folder holds; nothing was imported.", ...found.notes].join(" ");
  } catch (error) {
    find("#imported").textContent = "";
    const problems = error.details.problems ?? [error.message];
    replace(find("#problems"), problems.map((text) => el("li", { text })));
    say(`${count(problems.length, "problem")}; the list is below the form.`, { assertive: true });
  }
  return null;
});

function complain(error) {
  const place = find("#problem");
  const problems = (error.details.problems ?? []).map((one) => (typeof one === "string" ? one : one.message));
  replace(place, problems.length ? [el("span", { text: "The study was not begun." }), el("ul", {}, problems.map((text) => el("li", { text })))] : error.message);
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}
