/**
 * The keys of the gallery.
 * Decides which key does what; refuses to know how it is done: it calls what it was given.
 */

import { boot } from "../dom.js";

const FIRST_KEYS = 10;

/** Bindings for keys.register. `act` has a function for each action; `grid` is where the focus roves. */
export function bindings(act, grid) {
  const inGrid = () => grid.hasFocus;
  const move = (id, key, label, run) => [
    { id: `grid.${id}`, keys: [key], label, group: "Cells", when: inGrid, repeat: true, run: () => run({}) },
    { id: `grid.${id}.extend`, keys: [`Shift+${key}`], label: `${label}, selecting`, group: "Cells", when: inGrid, repeat: true, run: () => run({ extend: true }) },
  ];
  return [
    ...classBindings(act),
    ...move("left", "ArrowLeft", "Previous cell", (how) => grid.step(-1, how)),
    ...move("right", "ArrowRight", "Next cell", (how) => grid.step(1, how)),
    ...move("up", "ArrowUp", "Cell above", (how) => grid.rows(-1, how)),
    ...move("down", "ArrowDown", "Cell below", (how) => grid.rows(1, how)),
    ...move("page.up", "PageUp", "A screen up", (how) => grid.screens(-1, how)),
    ...move("page.down", "PageDown", "A screen down", (how) => grid.screens(1, how)),
    ...move("home", "Home", "First cell", (how) => grid.toEnd(false, how)),
    ...move("end", "End", "Last cell", (how) => grid.toEnd(true, how)),
    { id: "grid.toggle", keys: ["Space"], label: "Select the cell, or let it go", group: "Cells", when: inGrid, run: () => grid.toggle() },
    { id: "grid.all", keys: ["Ctrl+a"], label: "Select all shown", group: "Cells", when: inGrid, run: () => grid.selectAll() },
    { id: "grid.none", keys: ["Escape"], label: "Select none", group: "Cells", run: () => grid.clearSelection() },
    { id: "send", keys: ["Ctrl+Enter"], label: "Send what is labelled", group: "Answer", run: act.send },
    { id: "undo", keys: ["Ctrl+z", "u"], label: "Take the last action back", group: "Answer", run: act.undo },
    { id: "clear", keys: ["Backspace", "Delete"], label: "Remove the label", group: "Answer", run: act.clear },
    { id: "accept", keys: ["Enter"], label: "Accept the suggestion", group: "Answer", when: () => boot().has_suggestions && inGrid(), run: act.accept },
    { id: "flag", keys: ["f"], label: "Flag the cell", group: "Answer", run: act.flag },
    { id: "comment", keys: ["Shift+c"], label: "Write a comment", group: "Answer", run: act.comment },
    { id: "skip", keys: ["Ctrl+Space", "s"], label: "Skip, with a reason", group: "Answer", run: act.skip },
    { id: "look", keys: ["c", "z"], label: "Surroundings, four times as wide", group: "View", run: act.look },
    { id: "guide", keys: ["t"], label: "Definitions and examples", group: "View", run: act.guide },
    { id: "unlabelled", keys: ["Shift+u"], label: "Only cells without a label, or all", group: "View", run: act.unlabelled },
    { id: "sort", keys: ["o"], label: "Next order", group: "View", run: act.sort },
    { id: "larger", keys: ["+", "="], label: "Larger cells", group: "View", run: act.larger },
    { id: "smaller", keys: ["-"], label: "Smaller cells", group: "View", run: act.smaller },
  ];
}

/** A class by its own key and by the digit of its place; with Shift and the digit, all cells that are shown. */
function classBindings(act) {
  const { classes } = boot();
  const owned = new Set(classes.map((one) => one.key));
  return classes.flatMap((one, at) => {
    const place = String((at + 1) % FIRST_KEYS);
    const digit = /^\d$/.test(one.key) ? one.key : at < FIRST_KEYS && !owned.has(place) ? place : "";
    const letter = /^\d$/.test(one.key) ? "" : one.key.toLowerCase();
    const keys = [digit && `Digit${digit}`, letter].filter(Boolean);
    if (!keys.length) return [];
    const single = { id: `class.${one.code}`, keys, label: one.name, group: "Classes", overButtons: true, run: () => act.label(one.code) };
    const all = { id: `class.${one.code}.all`, keys: [`Shift+Digit${digit}`], label: `${one.name}: all shown`, group: "All cells shown", run: () => act.labelAll(one.code) };
    return digit ? [single, all] : [single];
  });
}
