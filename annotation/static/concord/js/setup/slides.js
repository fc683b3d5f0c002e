/**
 * Slides of the study: uploaded, or taken from a folder on the server; each with its case.
 * Decides the ways in; what a file must be to be a slide is decided on the server.
 */

import { get, post, put } from "../api.js";
import { boot, count, el, find, replace, say, toast } from "../dom.js";
import { sentences } from "./fields.js";
import { slideTable } from "./slidetable.js";
import { addAll, fromFile, fromFolder } from "./upload.js";

export async function draw(body, page) {
  const queue = el("ul", { id: "uploads", class: "uploads", "aria-label": "Files on their way" });
  const tableOf = el("div");
  const table = slideTable(tableOf, { page, columns: [{ name: "case", label: "Case", of: "case" }], removable: true });
  body.append(
    el("p", {}, "Any single file that OpenSlide or Pillow opens: SVS, NDPI, SCN, BIF, TIFF, PNG, JPEG. A case is the patient or specimen: whole cases go into one split. ",
      el("strong", { text: "Names of files and cases are erased at the launch;" }), " from then on only digests are known."),
    el("div", { class: "setup-ways" }, uploader(), folderPicker()), queue,
    tableOf, csv());
  if (page.state.state !== "draft" && page.state.staged) body.append(enterButton());
  await table.load();

  function uploader() {
    const input = el("input", { id: "files", type: "file", multiple: true, accept: ".svs,.ndpi,.scn,.bif,.svslide,.tif,.tiff,.png,.jpg,.jpeg,.bmp" });
    input.addEventListener("change", async () => {
      const files = [...input.files];
      input.value = "";
      await addAll(queue, files.map(fromFile), () => table.reload());
    });
    return el("div", { class: "way" }, el("h3", { text: "From this computer" }),
      el("div", { class: "field" }, el("label", { for: "files", text: "Slide files, several at once" }), input));
  }

  function folderPicker() {
    const place = el("div", { class: "way" }, el("h3", { text: "From a folder on the server" }));
    get("setup/folders/").then(({ open, folders }) => {
      if (!open) return place.append(el("p", { class: "hint", text: "No folder is open: whoever runs this site sets CONCORD_IMPORT_ROOT." }));
      if (!folders.length) return place.append(el("p", { class: "hint", text: "There is no folder with slides below the server's import folder." }));
      const choice = el("select", { id: "folder" }, folders.map((one) => el("option", { value: one.name }, `${one.name} (${one.has_table ? "slides.csv" : count(one.slides, "file")})`)));
      const found = el("div", { id: "folder-found" });
      return place.append(el("div", { class: "field" }, el("label", { for: "folder", text: "Folder" }), choice),
        el("button", { type: "button", id: "look", on: { click: () => look(choice.value, found) } }, "Look into it"), found);
    }).catch((error) => toast(error.message, { kind: "bad" }));
    return place;
  }

  async function look(folder, found) {
    const listing = await get(`setup/folder/?folder=${encodeURIComponent(folder)}`).catch((error) => toast(error.message, { kind: "bad" }));
    if (!listing?.files) return;
    const fresh = listing.columns.filter((name) => !page.state.domains.includes(name));
    const said = `${count(listing.files.length, "slide")}${listing.has_table ? " by its slides.csv" : "; it has no slides.csv, so cases and domains are entered here"}.`;
    replace(found, el("p", { text: said }),
      listing.problems.length > 0 && el("ul", { class: "checks problem-list" }, sentences(listing.problems, "bad", "!")),
      fresh.length > 0 && el("p", { class: "hint", text: `New domain columns: ${fresh.join(", ")}.` }),
      listing.files.length > 0 && el("button", { type: "button", class: "primary", id: "take", on: { click: () => take(folder, listing, fresh, found) } }, `Add ${count(listing.files.length, "slide")}`));
    say(said);
  }

  async function take(folder, listing, fresh, found) {
    replace(found);
    try {
      if (fresh.length && !page.stepOf("domains").fixed) await put("setup/domains/", { domains: [...page.state.domains, ...fresh] });
    } catch (error) {
      toast(error.message, { kind: "bad" });
      return;
    }
    await addAll(queue, listing.files.map((one) => fromFolder(folder, one)), () => table.reload());
  }

  function csv() {
    const text = el("textarea", { id: "csv", rows: 4, "aria-describedby": "csv-hint", spellcheck: "false" });
    const problems = el("ul", { class: "checks problem-list", id: "csv-problems" });
    const file = el("input", { id: "csv-file", type: "file", accept: ".csv,text/csv" });
    file.addEventListener("change", async () => {
      text.value = (await file.files[0]?.text()) ?? "";
      file.value = "";
      await describe();
    });
    async function describe() {
      try {
        const { described } = await post("setup/slides.csv", { text: text.value });
        replace(problems);
        text.value = "";
        toast(`${count(described, "slide")} described.`, { kind: "good" });
      } catch (error) {
        replace(problems, sentences(error.details.problems ?? [error.message], "bad", "!"));
        say("The table was not taken; the problems are listed below it.", { assertive: true });
      }
      await table.reload();
    }
    return el("details", { id: "by-table" }, el("summary", {}, "Describe many slides by a table (slides.csv)"),
      el("div", { class: "field" }, el("label", { for: "csv", text: "Paste the table" }), text,
        el("p", { class: "hint", id: "csv-hint", text: `Columns: path, case${page.state.domains.map((name) => `, ${name}`).join("")}. The path, or its last part, is the name of a file above.` })),
      el("div", { class: "field" }, el("label", { for: "csv-file", text: "or choose the file" }), file),
      el("button", { type: "button", on: { click: describe } }, "Take the table"), problems);
  }

  function enterButton() {
    return el("div", { class: "buttons" }, el("button", { type: "button", class: "primary", on: { click: async () => {
      try {
        const { slides } = await post("setup/enter/");
        toast(`${count(slides, "slide")} entered the study; they are cut in the background.`, { kind: "good" });
      } catch (error) {
        toast(error.message, { kind: "bad" });
      }
      await table.reload();
    } } }, "Add the waiting slides to the study"), el("a", { href: boot().urls.slides }, "Slides of the study"));
  }

  return () => find("#files")?.blur();
}
