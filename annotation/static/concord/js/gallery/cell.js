/**
 * One leased region as the gallery knows it: what it shows, what was entered, how far that has come.
 * Decides the words for a cell's state; refuses to know nodes and requests.
 */

import { byCode } from "../classes.js";

/** How far a cell is: being entered, on its way, accepted, or not accepted with a `problem` in words. */
export const OPEN = "open";
export const WAITING = "waiting";
export const SENT = "sent";
export const REFUSED = "refused";

/** A cell for a lease; `entered` is what was kept of it: {label, flagged, comment, seconds}. */
export function makeCell(lease, entered = null) {
  const { region, token, suggestion, note } = lease;
  return { region, token, suggestion, note, state: OPEN, problem: "", ...blank(), ...(entered ?? {}) };
}

/** What is entered before anybody has. */
const blank = () => ({ label: "", flagged: false, comment: "", seconds: 0 });

/** What was entered, for keeping. */
export const entered = ({ label, flagged, comment, seconds }) => ({ label, flagged, comment, seconds });

/** What the server kept of an earlier lease, in our words; null where it was nothing. */
export function fromServer(kept) {
  if (!kept) return null;
  return { ...blank(), label: kept.answer?.label ?? "", flagged: Boolean(kept.flagged), comment: kept.comment ?? "", seconds: kept.seconds ?? 0 };
}

/** Whether its label can still be changed here. */
export const isEditable = (cell) => cell.state === OPEN || cell.state === REFUSED;

/** Whether it has something to send. */
export const isReady = (cell) => isEditable(cell) && cell.label !== "";

/** A cell in words: "Cell 12, labelled Neutrophil, not sent, flagged". */
export function describe(cell, number) {
  const parts = [`Cell ${number}`];
  parts.push(cell.label ? `labelled ${byCode(cell.label).name}` : "no label");
  if (cell.label && cell.state === OPEN) parts.push("not sent");
  if (cell.state === WAITING) parts.push("on its way");
  if (cell.state === SENT) parts.push("sent");
  if (cell.state === REFUSED) parts.push(`not taken: ${cell.problem}`);
  if (cell.suggestion && !cell.label) parts.push(`suggested: ${byCode(cell.suggestion).name}`);
  if (cell.flagged) parts.push("flagged");
  if (cell.comment) parts.push("with a comment");
  if (cell.note) parts.push(`sent back: ${cell.note}`);
  return parts.join(", ");
}
