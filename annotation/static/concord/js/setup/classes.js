/**
 * The classes of the protocol: name, code, colour, key, definition, quota, special outcome, parent, order; and the guideline.
 * Decides drafts of rows (a free digit, a colour not yet used); clashes are refused by the server, field by field.
 */

import { boot, el, find, replace, say } from "../dom.js";
import { swatch } from "../classes.js";
import { complain, field, freeze, keepFocus, sentences } from "./fields.js";
import { later } from "./saving.js";

const FIELDS = ["name", "code", "colour", "key", "quota", "parent", "definition"];
let serial = 0;

export function draw(body, page) {
  let rows = page.state.classes.map((one) => ({ ...one, special: one.is_special, id: (serial += 1), auto: false }));
  const list = el("ol", { id: "classes", class: "class-list" });
  const notes = el("ul", { class: "checks", id: "class-notes" });
  const guideline = el("textarea", { id: "guideline", rows: 4, maxlength: 100000, value: page.state.guideline });
  const save = later(send);
  guideline.addEventListener("input", save);
  body.append(
    el("p", { text: "What annotators may say. Digits are the fastest keys: one press labels and goes on. A special outcome, such as “not evaluable”, is an answer too, but no model learns it." }),
    list,
    el("div", { class: "buttons" },
      el("button", { type: "button", id: "add-class", on: { click: () => add() } }, "Add a class"),
      el("button", { type: "button", id: "add-special", on: { click: () => add(SPECIAL) } }, "Add “not evaluable”")),
    notes,
    el("h3", { text: "Guideline" }), field("For all classes together", guideline, { hint: "How to look, what to do in doubt, what to skip. Annotators open it with one key." }));
  drawRows();
  showNotes();
  if (page.stepOf("classes").fixed) freeze(body);

  function drawRows() {
    keepFocus(() => replace(list, rows.map(card), rows.length === 0 && el("li", { class: "empty" }, "No class yet. Add at least two.")));
  }

  function card(row, at) {
    const id = (name) => `class-${name}-${row.id}`;
    const text = (name, attributes = {}) => {
      const input = el("input", { id: id(name), value: row[name] ?? "", autocomplete: "off", ...attributes });
      input.addEventListener("input", () => change(row, name, input.value));
      return input;
    };
    const definition = el("textarea", { id: id("definition"), rows: 2, maxlength: 10000, value: row.definition });
    definition.addEventListener("input", () => change(row, "definition", definition.value));
    const special = el("input", { id: id("special"), type: "checkbox", checked: row.special });
    special.addEventListener("change", () => change(row, "special", special.checked));
    const parent = el("select", { id: id("parent") });
    offerParents(parent, row);
    parent.addEventListener("focus", () => offerParents(parent, row));
    parent.addEventListener("change", () => change(row, "parent", parent.value));
    const sign = el("span", { class: "sign", id: id("sign") }, swatch({ ...row, letter: (row.name || "?")[0].toUpperCase(), pattern: at % 8 }));
    const button = (word, mark, run, off = false) => el("button", { type: "button", class: "small quiet", id: id(word), disabled: off, "aria-label": `${word} ${row.name || "the new class"}`, on: { click: run } }, mark);
    return el("li", { class: "class-card", dataset: { code: row.code } },
      el("div", { class: "class-fields" }, sign,
        field("Name", text("name", { maxlength: 120 })), field("Code", text("code", { maxlength: 60 })), field("Colour", text("colour", { type: "color" })),
        field("Key", text("key", { maxlength: 1, class: "key" })), field("Quota", text("quota", { type: "number", min: 0 })), field("Special outcome", special), field("Kind of", parent)),
      el("div", { class: "class-words" }, field("Definition", definition, { wide: true }),
        el("div", { class: "class-ways" }, button("Move up", "↑", () => move(at, -1), at === 0), button("Move down", "↓", () => move(at, 1), at === rows.length - 1), button("Remove", "Remove", () => remove(at)))));
  }

  /** What a class may be a kind of: any other one that is no special outcome; the server refuses circles. */
  function offerParents(select, row) {
    const others = rows.filter((one) => one !== row && one.name.trim() && !one.special);
    const codes = others.map((one) => bodyOf(one).code);
    const gone = row.parent && !codes.includes(row.parent) ? [el("option", { value: row.parent, text: row.parent })] : [];
    replace(select, el("option", { value: "", text: "no other class" }), gone, others.map((one, at) => el("option", { value: codes[at], text: one.name })));
    select.value = row.parent ?? "";
  }

  function change(row, name, value) {
    const before = bodyOf(row).code;
    row[name] = value;
    if (name === "code") row.auto = false;
    if (name === "name" && row.auto) {
      row.code = slugify(value);
      find(`#class-code-${row.id}`).value = row.code;
    }
    if (before) rows.filter((one) => one.parent === before).forEach((one) => { one.parent = bodyOf(row).code; });
    if (name === "name" || name === "colour") {
      const at = rows.indexOf(row);
      replace(find(`#class-sign-${row.id}`), swatch({ ...row, letter: (row.name || "?")[0].toUpperCase(), pattern: at % 8 }));
    }
    save();
  }

  function add(given = {}) {
    const used = new Set(rows.map((row) => row.key));
    const key = given.key && !used.has(given.key) ? given.key : [..."123456789"].find((digit) => !used.has(digit)) ?? "";
    const colours = new Set(rows.map((row) => row.colour));
    const colour = boot().palette.find((one) => !colours.has(one)) ?? "#808080";
    rows.push({ id: (serial += 1), name: "", code: "", definition: "", quota: null, special: false, parent: "", auto: true, ...given, key, colour });
    drawRows();
    find(`#class-name-${rows.at(-1).id}`).focus();
    if (given.name) save();
  }

  function move(at, by) {
    const [row] = rows.splice(at, 1);
    rows.splice(at + by, 0, row);
    drawRows();
    say(`${row.name} is now number ${at + by + 1}.`);
    save();
  }

  function remove(at) {
    const [row] = rows.splice(at, 1);
    drawRows();
    find("#add-class").focus();
    say(`${row.name || "The new class"} removed.`);
    save();
  }

  async function send() {
    const sent = rows.filter((row) => row.name.trim());
    rows.filter((row) => !row.name.trim()).forEach((row) => complain(find(`#class-name-${row.id}`), "Not saved yet: give the class a name."));
    try {
      const classes = sent.map(bodyOf);
      await page.save("classes", () => ({ classes, guideline: guideline.value, seen: page.state.classes_digest }));
      sent.forEach((row) => FIELDS.forEach((name) => { const input = find(`#class-${name}-${row.id}`); if (input) complain(input, ""); }));
      complain(guideline, "");
      showNotes();
    } catch (error) {
      point(error, sent);
    }
  }

  function point(error, sent) {
    const problems = (error.details.problems ?? []).filter((one) => one.row);
    sent.forEach((row, at) => FIELDS.forEach((name) => {
      const said = problems.filter((one) => one.row === at + 1 && one.field === name).map((one) => one.message).join(" ");
      const input = find(`#class-${name}-${row.id}`);
      if (input) complain(input, said);
    }));
    if (!problems.length) complain(guideline, error.message);
    say(error.message, { assertive: true });
  }

  function showNotes() {
    const { missing, notes: hints } = page.stepOf("classes");
    replace(notes, sentences(missing, "warn", "!"), sentences(hints, "info", "i"));
  }

  return () => save.flush();
}

const SPECIAL = { name: "Not evaluable", code: "not-evaluable", special: true, auto: false, key: "9", definition: "Focus, stain, overlap or the edge of the scan do not allow any class to be given." };

function bodyOf(row) {
  const quota = row.quota === null || row.quota === "" ? null : Number(row.quota);
  return { code: row.code || slugify(row.name), name: row.name, colour: row.colour, key: row.key, definition: row.definition, special: row.special, quota, parent: row.parent ?? "" };
}

/** A code from a name: small letters, digits and hyphens. */
export function slugify(name) {
  return name.normalize("NFKD").replace(/[^\x20-\x7e]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
}
