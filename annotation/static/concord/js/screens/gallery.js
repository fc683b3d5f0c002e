/**
 * Gallery: many leased regions at once, labelled by key and sent in the background.
 * Decides how the parts work together; what a cell is, where the focus goes, what is sent and kept is theirs.
 */

import { get } from "../api.js";
import { Guide } from "../annotate/guide.js";
import { askReason } from "../annotate/skipping.js";
import { teach } from "../annotate/taught.js";
import { ask, boot, count, el, find, replace, say, toast } from "../dom.js";
import { register } from "../keys.js";
import { follow } from "../newclasses.js";
import { arrange, ranks } from "../gallery/arranging.js";
import { Attention } from "../gallery/attention.js";
import { bindings } from "../gallery/bindings.js";
import { Board } from "../gallery/board.js";
import { isEditable, OPEN, REFUSED, SENT } from "../gallery/cell.js";
import { Grid } from "../gallery/grid.js";
import { Holding } from "../gallery/holding.js";
import { Labelling } from "../gallery/labelling.js";
import { Sender } from "../gallery/sending.js";
import { drawClasses, drawRefused, drawState } from "../gallery/sidebar.js";
import { Staging } from "../gallery/staging.js";
import { Surroundings } from "../gallery/surroundings.js";
import { Toolbar } from "../gallery/toolbar.js";

const { person, batch, lease_minutes: leaseMinutes, undo_minutes: undoMinutes, has_suggestions: hasSuggestions } = boot();
const staging = new Staging(person, { undoMinutes });
const board = new Board(staging);
const sender = new Sender(board, person);
teach(find("#taught"), sender.outbox);
const grid = new Grid(find("#grid"));
const toolbar = new Toolbar(person);
const guide = new Guide(find("#guide"), { button: find("#guide-button") });
const surroundings = new Surroundings(find("#surroundings"), { isOpen: toolbar.chosen.looks });
const holding = new Holding({ batch, leaseMinutes, tokens: () => board.cells.filter((cell) => cell.state !== SENT && !cell.isLost).map((cell) => cell.token) });
const labelling = new Labelling({ board, grid, attention: new Attention() });
const RAN_OUT = "The time for this cell ran out. What you entered is laid in again when it comes back to you.";
let rank = {};
let unlike = 0;
let isUndoing = false;
let refilling = null;

// --- What is on the board ----------------------------------------------------------------------------------------------

/** Take sent cells off, top the batch up, and arrange it anew. */
function refill() {
  refilling ??= fetchMore().finally(() => { refilling = null; });
  return refilling;
}

async function fetchMore() {
  find("#grid").setAttribute("aria-busy", "true");
  try {
    board.drop(board.cells.filter((cell) => cell.state === SENT));
    const { leases, why } = await holding.fill();
    if (leases.length) await readOrders(leases);
    const fresh = board.take(leases);
    showNothing(why);
    if (fresh.length) say(`${count(fresh.length, "new cell")}.`);
  } catch (error) {
    showNothing(error.message);
  } finally {
    find("#grid").setAttribute("aria-busy", "false");
    if (document.activeElement === document.body) grid.goTo(grid.focused);
  }
}

/** Where each region stands in the orders there are; `held` are cells or leases. */
async function readOrders(held) {
  const orders = await get("queue/orders/");
  rank = ranks(orders, held);
  unlike = orders.unlike;
}

/** Lay the cells out again: other cells, another order, filter or size. */
function lay() {
  const { cells } = board;
  const hadFocus = grid.hasFocus;
  toolbar.offer(rank, cells, { unlike, hasSuggestions });
  if (cells.length) toolbar.showScale(grid.scaleTo(cells.map((cell) => cell.region)), grid.hasScale);
  grid.resize(toolbar.edge);
  grid.show(arranged());
  if (cells.length && !grid.shown.length) {
    showNothing("No cell fits what you have chosen to show.", { isFiltered: true });
    if (hadFocus) find("#nothing button").focus();
  } else if (cells.length) {
    showNothing("");
  }
  draw();
}

function arranged() {
  return arrange(board.cells, { rank: rank[toolbar.sort.value], filter: toolbar.filter });
}

function draw() {
  drawState({ cells: board.cells, grid, sender, holding, lastAction: board.lastAction });
  drawRefused(board.cells, { onGo: goTo, onLetGo: letGo });
}

function showNothing(why, { isFiltered = false } = {}) {
  const place = find("#nothing");
  const isEmpty = why && (isFiltered || !board.cells.length);
  place.hidden = !isEmpty;
  find("#grid").hidden = Boolean(isEmpty);
  if (!isEmpty) return;
  const kept = staging.regions.length;
  replace(place, el("h2", { text: isFiltered ? "Nothing to show" : "No cells now" }), el("p", { text: why }),
    kept && !isFiltered ? el("p", { text: `${count(kept, "label")} of yours wait in this browser for cells that you do not hold now; they are laid in when these come back.` }) : null,
    el("div", { class: "buttons" },
      isFiltered ? el("button", { type: "button", class: "primary", on: { click: () => { toolbar.show("all"); } } }, "Show all cells")
        : el("button", { type: "button", class: "primary", on: { click: refill } }, "Look again"),
      el("a", { class: "button", href: boot().urls.queue }, "My queue")));
}

function goTo(cell) {
  if (!grid.shown.includes(cell)) toolbar.show("all");
  grid.goTo(cell);
}

function letGo(cells) {
  staging.keep(cells.map((cell) => [cell.region.id, null]));
  board.drop(cells);
}

board.addEventListener("list", lay);
board.addEventListener("change", ({ detail }) => {
  const cells = arranged();
  const isSame = cells.length === grid.shown.length && cells.every((cell, at) => cell === grid.shown[at]);
  if (!isSame) { lay(); return; }
  detail.cells.forEach((cell) => grid.update(cell));
  draw();
});
grid.addEventListener("select", draw);
grid.addEventListener("look", look);
grid.addEventListener("focus", ({ detail }) => {
  labelling.attention.look(detail);
  if (detail) surroundings.show(detail, grid.shown.indexOf(detail) + 1);
});
toolbar.addEventListener("arrange", lay);
toolbar.addEventListener("size", lay);

// --- What a person does ------------------------------------------------------------------------------------------------

async function skip() {
  const cells = grid.targets.filter((cell) => isEditable(cell) && !cell.isLost);
  const reason = cells.length ? await askReason() : null;
  if (!reason) return;
  const done = await Promise.allSettled(cells.map((cell) => holding.skip(cell.token, reason)));
  const failed = done.filter((one) => one.status === "rejected");
  if (failed.length) toast(`${count(failed.length, "cell")} could not be skipped. ${failed[0].reason.message}`, { kind: "bad" });
  letGo(cells.filter((_, at) => done[at].status === "fulfilled"));
  say(`${count(cells.length - failed.length, "cell")} skipped.`);
  if (!board.cells.length) refill();
}

function send() {
  const many = sender.send();
  if (many) say(`Sending ${count(many, "answer")}.`);
  else toast("Nothing is labelled yet: a digit labels the cell in focus.");
}

async function undo() {
  if (isUndoing) return;
  isUndoing = true;
  try {
    const last = board.undo();
    if (!last) say("There is nothing to take back.");
    else if (last.kind === "edit") { goBack(last.cells); say(`${count(last.cells.length, "cell")} as before.`); }
    else await takeBack(last.sending);
  } catch (error) {
    toast(error.message, { kind: "bad" });
  } finally {
    isUndoing = false;
    draw();
  }
}

async function takeBack(sending) {
  const { back, problems } = await sender.takeBack(sending);
  if (back.length) {
    await readOrders(board.cells);
    lay();
  }
  goBack(back.map((region) => board.of(region)).filter(Boolean));
  if (problems.length) toast(`${count(problems.length, "answer")} could not be taken back. ${problems[0]}`, { kind: "bad" });
  if (back.length) toast(`${count(back.length, "answer")} taken back; what you entered is on the board again.`);
}

function goBack(cells) {
  const first = grid.shown.find((cell) => cells.includes(cell));
  if (first) grid.goTo(first);
}

async function giveBack() {
  const cells = board.cells.filter((cell) => cell.state === OPEN);
  const labelled = cells.filter((cell) => cell.label).length;
  const body = labelled ? `${count(labelled, "cell is", "cells are")} labelled and not sent: send them first if these labels are to count.` : "Others are asked about them; they may come back to you.";
  if (!(await ask({ title: `Give ${count(cells.length, "cell")} back?`, body, confirm: `Give ${count(cells.length, "cell")} back`, danger: labelled > 0 }))) return;
  try {
    await holding.release(cells.map((cell) => cell.token));
    board.drop(cells);
    showNothing("You have given your cells back. Look again to get others.");
  } catch (error) {
    toast(error.message, { kind: "bad" });
  }
}

function look() {
  toolbar.choose({ looks: surroundings.toggle() });
  find("#look").setAttribute("aria-expanded", String(surroundings.isOpen));
  say(surroundings.isOpen ? "Surroundings shown." : "Surroundings closed.");
}

function unlabelled() {
  toolbar.show(toolbar.filter === "open" ? "all" : "open");
  say(`${count(grid.shown.length, "cell")} shown.`);
}

// --- What comes from elsewhere -----------------------------------------------------------------------------------------

sender.addEventListener("progress", draw);
sender.addEventListener("settled", ({ detail: { sent, refused } }) => {
  const more = refused ? ` ${count(refused, "cell was", "cells were")} not taken: the reason is at the right.` : "";
  toast(`${count(sent, "answer")} sent.${more}`, { kind: refused ? "info" : "good" });
  refill();
});
holding.addEventListener("tick", draw);
holding.addEventListener("classes", ({ detail }) => { follow(detail.protocol); });
holding.addEventListener("lost", ({ detail }) => {
  const lost = detail.tokens.map((token) => board.ofToken(token)).filter(Boolean);
  for (const cell of lost) board.mark(cell, REFUSED, { problem: RAN_OUT, isLost: true });
  board.drop(lost.filter((cell) => !cell.label && !cell.comment));
  toast(`The time for ${count(lost.length, "cell")} ran out. What you entered is kept.`, { kind: "bad" });
  refill();
});

const actions = {
  label: (code) => labelling.label(code), labelAll: (code) => labelling.labelAll(code), accept: () => labelling.accept(),
  flag: () => labelling.flag(), comment: () => labelling.comment(), clear: () => labelling.clear(), skip, send, undo, look, unlabelled,
  guide: () => guide.toggle(grid.focused?.label),
  sort: () => toolbar.nextSort(), larger: () => toolbar.resize(1), smaller: () => toolbar.resize(-1),
};
register(bindings(actions, grid));
for (const [id, run] of Object.entries({
  send, undo, look, flag: actions.flag, comment: actions.comment, skip, "guide-button": actions.guide, "give-back": giveBack,
  "label-all": () => labelling.labelAll(), "accept-all": () => labelling.acceptAll(),
})) {
  find(`#${id}`)?.addEventListener("click", run);
}
document.addEventListener("concord:keys", () => { drawClasses(actions.label); draw(); });

drawClasses(actions.label);
find("#look").setAttribute("aria-expanded", String(surroundings.isOpen));
if (!staging.isKept) toast("This browser keeps nothing for this page: what you label is lost when you leave before sending.", { kind: "bad" });
await sender.resume();
await refill();
