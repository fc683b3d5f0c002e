/**
 * The cells on the board, what was entered for them, and how it is undone, one action at a time.
 * Decides what an action changes and that it is kept; refuses to know nodes and requests.
 */

import { count, number } from "../dom.js";
import { entered, fromServer, isEditable, makeCell, OPEN, REFUSED, SENT } from "./cell.js";

/** Events: "change" ({cells}: what is entered, or how far it is), "list" (cells came or went). */
export class Board extends EventTarget {
  #cells = new Map();
  #history = [];

  constructor(staging) {
    super();
    this.staging = staging;
    staging.onOtherTab = () => this.#followOtherTab();
    // What was sent before a reload can be taken back as if nothing had happened.
    this.#history = staging.sendings.map((sending) => ({ kind: "sending", sending }));
  }

  get cells() { return [...this.#cells.values()]; }
  of(region) { return this.#cells.get(region) ?? null; }
  ofToken(token) { return this.cells.find((cell) => cell.token === token) ?? null; }

  /** Put leases on the board; what was entered for their regions before is laid into them. Returns the new cells. */
  take(leases, { known = {} } = {}) {
    const fresh = leases.filter((lease) => this.of(lease.region.id)?.token !== lease.token);
    for (const lease of fresh) {
      const { id } = lease.region;
      const before = known[id] ?? this.staging.of(id) ?? fromServer(lease.entered);
      const cell = makeCell(lease, before);
      // In its old place, so that what comes back stands where it stood.
      this.#cells.set(id, cell);
      if (before) this.staging.keep([[id, before]]);
    }
    this.dispatchEvent(new CustomEvent("list"));
    return fresh.map((lease) => this.of(lease.region.id));
  }

  /** Take cells off the board; what was entered for them stays kept unless it was sent. */
  drop(cells) {
    for (const cell of cells) this.#cells.delete(cell.region.id);
    this.dispatchEvent(new CustomEvent("list"));
  }

  /** One action on cells that may be changed: `change` is laid over what was entered. Returns the cells it changed. */
  edit(cells, change) { return this.editEach(cells, () => change); }

  /** As `edit`, with a change for each cell. */
  editEach(cells, changeOf) {
    const changed = cells.filter(isEditable);
    if (!changed.length) return changed;
    const before = changed.map((cell) => [cell.region.id, entered(cell)]);
    for (const cell of changed) Object.assign(cell, changeOf(cell));
    this.#history.push({ kind: "edit", before });
    this.#kept(changed);
    return changed;
  }

  /** A sending became the last action. */
  sent(sending) {
    this.#history.push({ kind: "sending", sending });
    this.staging.remember(sending);
  }

  /** The last action in words, or "". */
  get lastAction() {
    const last = this.#history.at(-1);
    if (!last) return "";
    return last.kind === "edit" ? `change of ${count(last.before.length, "cell")}` : `sending of ${number(last.sending.jobs.length)}`;
  }

  /** The last action, taken off the history: an edit is undone here already, a sending is for the sender; null: none. */
  undo() {
    for (let last = this.#history.pop(); last; last = this.#history.pop()) {
      if (last.kind === "sending") return last;
      const cells = this.#restore(last.before);
      // What was sent since, and can't be taken back any more, is no longer on the board.
      if (cells.length) return { kind: "edit", cells };
    }
    return null;
  }

  #restore(before) {
    const found = before.map(([region, values]) => [this.of(region), values]).filter(([cell]) => cell && isEditable(cell));
    for (const [cell, { label, flagged, comment }] of found) Object.assign(cell, { label, flagged, comment });
    const cells = found.map(([cell]) => cell);
    if (cells.length) this.#kept(cells);
    return cells;
  }

  /** How far a cell has come. `problem`: why it was not taken. `isLost`: its lease has ended. */
  mark(cell, state, { problem = "", isLost = false } = {}) {
    Object.assign(cell, { state, problem, isLost });
    if (state === SENT) this.staging.keep([[cell.region.id, null]]);
    this.dispatchEvent(new CustomEvent("change", { detail: { cells: [cell] } }));
  }

  #kept(cells) {
    this.staging.keep(cells.map((cell) => [cell.region.id, entered(cell)]));
    for (const cell of cells) if (cell.state === REFUSED && !cell.isLost) Object.assign(cell, { state: OPEN, problem: "" });
    this.dispatchEvent(new CustomEvent("change", { detail: { cells } }));
  }

  #followOtherTab() {
    const cells = this.cells.filter((cell) => cell.state === OPEN);
    for (const cell of cells) Object.assign(cell, this.staging.of(cell.region.id) ?? { label: "", flagged: false, comment: "" });
    this.dispatchEvent(new CustomEvent("change", { detail: { cells } }));
  }
}
