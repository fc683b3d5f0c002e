/**
 * What a person enters for cells: labels, one or many at once, flags and comments; all of it taken back in one step each.
 * Decides which cells an action is for and where the focus goes then; refuses to send.
 */

import { byCode } from "../classes.js";
import { ask, boot, count, say, toast } from "../dom.js";
import { isEditable, OPEN } from "./cell.js";

export class Labelling {
  constructor({ board, grid, attention }) {
    Object.assign(this, { board, grid, attention });
  }

  /** Label the selection, or the cell in focus, and go on to the next cell without a label. */
  label(code) {
    const cells = this.grid.targets;
    const next = this.#nextOpen(cells);
    const changed = this.#apply(cells, { label: code });
    if (!changed.length) return;
    say(changed.length === 1 ? `${byCode(code).name}.` : `${count(changed.length, "cell")}: ${byCode(code).name}.`);
    this.grid.clearSelection();
    if (next) this.grid.goTo(next);
    else if (!this.board.cells.some((cell) => cell.state === OPEN && !cell.label)) say("Every cell has a label. Control and Enter sends them.");
  }

  /** One action on cells: the time that they were looked at is theirs, and what was entered is kept. */
  #apply(cells, change) {
    this.attention.share(cells.filter(isEditable));
    return this.board.edit(cells, change);
  }

  /** The next cell without a label behind these, or before them. */
  #nextOpen(cells) {
    const { shown } = this.grid;
    const last = shown.indexOf(cells.at(-1));
    const isNext = (cell) => cell.state === OPEN && !cell.label && !cells.includes(cell);
    return shown.slice(last + 1).find(isNext) ?? shown.find(isNext);
  }

  /** Label all cells shown, after their number was named; without `code` the class is asked for. */
  async labelAll(code = "") {
    const cells = this.grid.shown.filter(isEditable);
    if (!cells.length) return;
    const given = code ? await this.#confirmAll(cells, code) : await this.#chooseAll(cells);
    if (!given) return;
    const changed = this.#apply(cells, { label: given });
    toast(`${count(changed.length, "cell")} labelled ${byCode(given).name}, not sent.`);
  }

  async #confirmAll(cells, code) {
    const title = `Label all ${count(cells.length, "cell")} shown as ${byCode(code).name}?`;
    return (await ask({ title, body: others(cells, code), confirm: `Label ${count(cells.length, "cell")}` })) && code;
  }

  async #chooseAll(cells) {
    const options = boot().classes.map((one) => ({ value: one.code, label: one.name }));
    const fields = [{ name: "code", label: "Class", type: "select", options }];
    const given = await ask({ title: `Label all ${count(cells.length, "cell")} shown`, body: others(cells, null), fields, confirm: `Label ${count(cells.length, "cell")}` });
    return given?.code;
  }

  /** Each cell in focus or selected gets the class that is suggested for it. */
  accept() {
    this.#take(this.grid.targets);
  }

  /** As `accept`, for all cells shown that have no label. */
  async acceptAll() {
    const cells = this.grid.shown.filter((cell) => isEditable(cell) && !cell.label && cell.suggestion);
    const words = `${count(cells.length, "suggestion")}`;
    if (!cells.length) toast("No cell without a label has a suggestion.");
    else if (await ask({ title: `Accept ${words}?`, body: others(cells, null), confirm: `Accept ${words}` })) this.#take(cells);
  }

  /** Remove the label. */
  clear() {
    if (this.#apply(this.grid.targets, { label: "" }).length) say("Label removed.");
  }

  #take(cells) {
    const offered = cells.filter((cell) => isEditable(cell) && cell.suggestion);
    const next = this.#nextOpen(cells);
    this.attention.share(offered);
    const changed = this.board.editEach(offered, (cell) => ({ label: cell.suggestion }));
    if (!changed.length) { toast("There is no suggestion here."); return; }
    const words = `${count(changed.length, "suggestion")} accepted, not sent.`;
    if (changed.length > 1) toast(words);
    else say(words);
    this.grid.clearSelection();
    if (next) this.grid.goTo(next);
  }

  /** Flag the cells, or take the flag off where all have one. */
  flag() {
    const cells = this.grid.targets;
    const on = cells.some((cell) => !cell.flagged);
    if (this.#apply(cells, { flagged: on }).length) say(on ? "Flagged." : "No longer flagged.");
  }

  /** Ask for a comment. */
  async comment() {
    const cells = this.grid.targets.filter(isEditable);
    if (!cells.length) return;
    const fields = [{ name: "comment", label: "Comment", type: "textarea", value: cells[0].comment, maxlength: 2000 }];
    const given = await ask({ title: `Comment on ${count(cells.length, "cell")}`, fields, confirm: "Keep" });
    if (given) this.#apply(cells, { comment: given.comment.trim() });
  }
}

/** What is lost by labelling all: other labels, one step of Undo away. */
function others(cells, code) {
  const many = cells.filter((cell) => cell.label && cell.label !== code).length;
  const more = many ? ` ${count(many, "cell has", "cells have")} another label now.` : "";
  return `Nothing is sent by this, and one Undo takes it back.${more}`;
}
