/**
 * The leases behind the cells: claimed as a batch, renewed by real input, given back.
 * Decides when to renew and how long the cells are held; refuses to know what is entered.
 */

import { get, post } from "../api.js";

const SOON_S = 120;

/** Events: "lost" ({tokens}: their time ran out), "tick" (look at `secondsLeft` again), "classes" ({protocol}). */
export class Holding extends EventTarget {
  #until = 0;
  #renewed = 0;
  #busy = false;

  constructor({ batch, leaseMinutes, tokens }) {
    super();
    Object.assign(this, { batch, tokens, leaseMs: leaseMinutes * 60_000 });
    for (const type of ["keydown", "pointerdown", "wheel"]) addEventListener(type, () => this.touch(), { passive: true });
    setInterval(() => this.dispatchEvent(new CustomEvent("tick")), 5000);
  }

  /** Seconds until the first of the cells is given to somebody else. */
  get secondsLeft() { return Math.max(0, (this.#until - performance.now()) / 1000); }
  get isSoon() { return this.secondsLeft < SOON_S; }

  /** Top the batch up; resolves to all leases held, and why there are none. */
  async fill() {
    const { leases, protocol } = await post("queue/claim/", { count: this.batch });
    this.dispatchEvent(new CustomEvent("classes", { detail: { protocol } }));
    // Leases of an earlier visit end earlier: all of them start over, as somebody is here.
    if (leases.length) await this.#renew(leases.map((lease) => lease.token));
    if (leases.length) return { leases, why: "" };
    const { reason_empty: reason } = await get("queue/");
    return { leases, why: reason?.message ?? "All regions were taken at this moment. Ask again." };
  }

  /** Somebody is here: prolong what is held, now and then. */
  touch() {
    const isDue = performance.now() - this.#renewed > Math.min(60_000, this.leaseMs / 3);
    if (isDue && !this.#busy && this.tokens().length) this.#renew(this.tokens()).catch(() => {});
  }

  /** Give cells back for others. */
  async release(tokens) {
    if (tokens.length) await post("queue/release/", { tokens });
  }

  async skip(token, reason) { await post("queue/skip/", { token, reason }); }

  async #renew(tokens) {
    this.#busy = true;
    this.#renewed = performance.now();
    try {
      const { lost } = await post("queue/renew/", { tokens });
      this.#until = this.#renewed + this.leaseMs;
      if (lost.length) this.dispatchEvent(new CustomEvent("lost", { detail: { tokens: lost } }));
    } finally {
      this.#busy = false;
      this.dispatchEvent(new CustomEvent("tick"));
    }
  }
}
