/**
 * Answers on their way: kept in this browser until the server has them, sent again as long as it takes.
 * Decides what is sent again and what was refused; refuses to know what an answer says. An answer counts once: its
 * idempotency key is made with it. What was refused stays in the tray until it is given again or let go.
 */

import { send } from "./api.js";

const PAUSES_S = [1, 2, 4, 8, 15, 30];
const PREFIX = "concord.outbox";

/** A name that no other answer has. */
export function freshKey() {
  return crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
}

/**
 * `person` names whose answers these are (one person in one study). Events, by addEventListener:
 * "change" (something came, went or was refused), "sent" ({job, answer}), "refused" ({job, error}).
 * A job is {key, token, path, body, region, label, …}; `region` and what else it carries is for showing it.
 */
export class Outbox extends EventTarget {
  #jobs = new Map();
  #busy = null;
  #failures = 0;
  #timer = 0;

  constructor(person, { store = localStorage } = {}) {
    super();
    this.prefix = `${PREFIX}.${person}.`;
    this.store = store;
    this.isKept = true;
    for (const job of this.#read()) this.#jobs.set(job.key, job);
    addEventListener("online", () => this.flush());
  }

  /** Answers that the server does not have yet, oldest first. */
  get waiting() { return this.#all().filter((job) => !job.refused); }

  /** Answers that the server did not accept, oldest first, each with `refused`: {code, message}. */
  get refused() { return this.#all().filter((job) => job.refused); }

  /** Keep an answer and send it. */
  add(job) {
    this.#put({ ...job, key: job.key ?? freshKey(), at: Date.now() });
    this.#changed();
    this.flush();
  }

  /** Take an answer back that is not under way; null where it is, or was sent. */
  take(key) {
    const job = this.#jobs.get(key);
    if (!job || this.#busy === key) return null;
    this.#drop(key);
    this.#changed();
    return job;
  }

  /** Let a refused answer go. */
  forget(key) {
    if (this.#jobs.get(key)?.refused) this.take(key);
  }

  /** Resolves when this answer was sent or refused. */
  settled(key) {
    const isOpen = () => this.#jobs.has(key) && !this.#jobs.get(key).refused;
    if (!isOpen()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => { if (!isOpen()) { this.removeEventListener("change", look); resolve(); } };
      this.addEventListener("change", look);
    });
  }

  /** Send what waits, one after the other, in the order in which it was given. */
  async flush() {
    clearTimeout(this.#timer);
    if (this.#busy) return;
    for (;;) {
      const [job] = this.waiting;
      if (!job) return;
      this.#busy = job.key;
      const goesOn = await this.#deliver(job);
      this.#busy = null;
      this.#changed();
      if (!goesOn) return;
    }
  }

  async #deliver(job) {
    try {
      const answer = await send("POST", job.path, job.body);
      this.#failures = 0;
      this.#drop(job.key);
      this.dispatchEvent(new CustomEvent("sent", { detail: { job, answer } }));
      return true;
    } catch (error) {
      if (isPassing(error)) {
        this.problem = error.message;
        const pause = PAUSES_S[Math.min(this.#failures++, PAUSES_S.length - 1)];
        this.#timer = setTimeout(() => this.flush(), pause * 1000);
        return false;
      }
      this.#put({ ...job, refused: { code: error.code ?? "error", message: error.message } });
      this.dispatchEvent(new CustomEvent("refused", { detail: { job, error } }));
      return true;
    }
  }

  #all() { return [...this.#jobs.values()].sort((one, other) => one.at - other.at); }

  #changed() {
    if (!this.#failures) this.problem = "";
    this.dispatchEvent(new CustomEvent("change"));
  }

  #put(job) {
    this.#jobs.set(job.key, job);
    try {
      this.store.setItem(this.prefix + job.key, JSON.stringify(job));
    } catch {
      // No room, or forbidden: it is sent all the same, but would not outlive the page.
      this.isKept = false;
    }
  }

  #drop(key) {
    this.#jobs.delete(key);
    try {
      this.store.removeItem(this.prefix + key);
    } catch {
      this.isKept = false;
    }
  }

  #read() {
    const found = [];
    try {
      for (let at = 0; at < this.store.length; at += 1) {
        const name = this.store.key(at);
        if (name.startsWith(this.prefix)) found.push(JSON.parse(this.store.getItem(name)));
      }
    } catch {
      this.isKept = false;
    }
    return found.filter((job) => job?.key && job.path);
  }
}

/** Whether it may go well later: no connection, a server that is away or in haste, or somebody else's session. */
function isPassing(error) {
  if (error.code === "another-person") return true;
  return error.status === 0 || error.status === 429 || error.status >= 500 || error.status === undefined;
}
