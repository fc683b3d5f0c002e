/**
 * Sends what is labelled, cell by cell in the background, and takes a whole sending back.
 * Decides what an answer carries and what becomes of a refusal; refuses to know nodes. Each cell is an annotation of its
 * own: its own token, key and time.
 */

import { post } from "../api.js";
import { follow, version } from "../newclasses.js";
import { Outbox, freshKey } from "../outbox.js";
import { entered, isReady, REFUSED, SENT, WAITING } from "./cell.js";

const AT_ONCE = 4;
const FROM = "gallery";
const LONGEST_S = 24 * 3600;

/** Events: "progress" (something was sent, refused or waits), "settled" ({sent, refused}: nothing is under way). */
export class Sender extends EventTarget {
  #open = new Set();
  #counts = { sent: 0, refused: 0 };

  constructor(board, person, { outbox = new Outbox(person) } = {}) {
    super();
    this.board = board;
    this.outbox = outbox;
    outbox.addEventListener("sent", ({ detail }) => this.#sent(detail.job));
    outbox.addEventListener("refused", ({ detail }) => this.#refused(detail.job, detail.error));
    outbox.addEventListener("change", () => this.dispatchEvent(new CustomEvent("progress")));
  }

  /** How many answers the server does not have yet, and why, where it can't be reached. */
  get waiting() { return this.outbox.waiting.length; }
  get problem() { return this.outbox.problem ?? ""; }

  /** After a reload: go on with what was under way, and lay back what was refused meanwhile. */
  async resume() {
    for (const job of this.outbox.refused.filter((one) => one.from === FROM)) {
      this.board.staging.keep([[job.region.id, job.entered]]);
      this.outbox.forget(job.key);
    }
    for (const job of this.outbox.waiting) this.#open.add(job.key);
    await this.outbox.flush();
  }

  /** Send all cells that are ready; returns how many. */
  send() {
    const ready = this.board.cells.filter((cell) => isReady(cell) && !cell.isLost);
    if (!ready.length) return 0;
    const jobs = ready.map((cell) => job(cell));
    this.board.sent({ at: Date.now(), jobs: jobs.map(({ key, token, region, entered: what }) => ({ key, token, region: region.id, entered: what, undo: freshKey() })) });
    ready.forEach((cell) => this.board.mark(cell, WAITING));
    jobs.forEach((one) => { this.#open.add(one.key); this.outbox.add(one); });
    return ready.length;
  }

  /** Take a sending back: what is not sent yet is not sent; of the rest each answer is withdrawn and held again. */
  async takeBack(sending) {
    const waiting = [...sending.jobs];
    const done = { back: [], leases: [], problems: [] };
    const worker = async () => {
      for (let one = waiting.shift(); one; one = waiting.shift()) await this.#takeOne(one, done);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    this.board.take(done.leases, { known: Object.fromEntries(sending.jobs.map((one) => [one.region, one.entered])) });
    if (!done.problems.length) this.board.staging.forget(sending);
    return done;
  }

  async #takeOne(one, done) {
    const cell = this.board.of(one.region);
    if (this.outbox.take(one.key)) {
      this.#open.delete(one.key);
      if (cell) this.board.mark(cell, "open");
      done.back.push(one.region);
      return;
    }
    await this.outbox.settled(one.key);
    if (cell?.state === REFUSED) return;
    try {
      done.leases.push(await post("queue/undo/", { token: one.token, idempotency_key: one.undo }));
      done.back.push(one.region);
    } catch (error) {
      done.problems.push(error.message);
    }
  }

  #sent(one) {
    const cell = this.board.ofToken(one.token);
    this.#counts.sent += 1;
    if (cell) this.board.mark(cell, SENT);
    else if (one.from === FROM) this.board.staging.keep([[one.region.id, null]]);
    this.#settle(one);
  }

  #refused(one, error) {
    if (one.from !== FROM) return;
    const cell = this.board.ofToken(one.token);
    this.#counts.refused += 1;
    this.board.staging.keep([[one.region.id, one.entered]]);
    if (error.code === "classes-changed") follow(error.details.protocol);
    if (cell) this.board.mark(cell, REFUSED, { problem: error.message, isLost: error.code === "lease-lost" });
    // The cell keeps what was entered, and why it was not taken: the tray of other pages need not.
    this.outbox.forget(one.key);
    this.#settle(one);
  }

  #settle(one) {
    this.#open.delete(one.key);
    if (this.#open.size) return;
    const detail = this.#counts;
    this.#counts = { sent: 0, refused: 0 };
    this.dispatchEvent(new CustomEvent("settled", { detail }));
  }
}

function job(cell) {
  const key = freshKey();
  const { token, region, label, flagged, comment, seconds } = cell;
  const body = {
    token, idempotency_key: key, answer: { kind: "class", label }, flagged, comment, protocol: version(),
    seconds: Math.min(LONGEST_S, Math.round(seconds * 1000) / 1000),
  };
  return { key, token, path: "queue/submit/", body, label, from: FROM, entered: entered(cell), region: { id: region.id, thumbnail: region.thumbnail } };
}
