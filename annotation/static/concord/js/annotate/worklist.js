/**
 * The regions this person holds: the one being looked at and the next ones, claimed ahead.
 * Decides when to claim, renew and give back; refuses to know what is answered. Only real input renews a lease.
 */

import { post, send } from "../api.js";
import { boot } from "../dom.js";

const MOST = 200;
const RENEW_EVERY_MS = 60_000;

export class Worklist extends EventTarget {
  #leases = [];
  #done = new Set();
  #filling = null;
  #renewedAt = Date.now();

  /** `ahead`: how many to hold; `unsent()`: how many answered ones the server still counts as held. */
  constructor({ ahead = 3, kind = "label", unsent = () => 0 } = {}) {
    super();
    Object.assign(this, { ahead, kind, unsent });
    this.skew = boot().now ? new Date(boot().now).getTime() - Date.now() : 0;
  }

  /** The lease being worked on, or null. */
  get current() { return this.#leases[0] ?? null; }

  /** The ones after it. */
  get upcoming() { return this.#leases.slice(1); }

  /** What all of them show, in the order in which it is needed. */
  get regions() { return this.#leases.map((lease) => lease.region); }

  /** Seconds until the current lease ends. */
  get secondsLeft() {
    if (!this.current) return 0;
    return Math.max(0, (new Date(this.current.expires_at).getTime() - Date.now() - this.skew) / 1000);
  }

  /** Top up to `ahead`; one request at a time. */
  async fill() {
    // One that is under way was asked before the last answers were given: what it brings may be used up already.
    if (this.#filling) await this.#filling;
    if (this.#leases.length >= this.ahead) return;
    this.#filling ??= this.#claim().finally(() => { this.#filling = null; });
    await this.#filling;
  }

  /** The region is answered or passed over: the next one is the current one. */
  finish(token) {
    this.#done.add(token);
    this.#leases = this.#leases.filter((lease) => lease.token !== token);
  }

  /** A lease that came back (an undo): it is the current one again. */
  putFirst(lease) {
    this.#done.delete(lease.token);
    this.#leases = [lease, ...this.#leases.filter((one) => one.token !== lease.token && one.region.id !== lease.region.id)];
  }

  /** Real input: prolong all leases, now and then. "lost" ({tokens}) tells of those that had ended. */
  async touch({ now = false } = {}) {
    if (!this.current || (!now && Date.now() - this.#renewedAt < RENEW_EVERY_MS)) return;
    this.#renewedAt = Date.now();
    const asked = this.#leases.map((lease) => lease.token);
    const { tokens, lost, expires_at: until } = await post("queue/renew/", { tokens: asked });
    for (const lease of this.#leases) if (tokens.includes(lease.token)) lease.expires_at = until;
    if (lost.length) this.lose(lost);
  }

  /** These leases have ended. */
  lose(tokens) {
    this.#leases = this.#leases.filter((lease) => !tokens.includes(lease.token));
    tokens.forEach((token) => this.#done.add(token));
    this.dispatchEvent(new CustomEvent("lost", { detail: { tokens } }));
  }

  /** The page is left: give back what was claimed ahead here, so that nobody waits for it. */
  leave() {
    const since = new Date(boot().now ?? 0).getTime();
    const idle = this.upcoming.filter((lease) => new Date(lease.leased_at).getTime() >= since);
    if (!idle.length) return;
    this.finishAll(idle);
    send("POST", "queue/release/", { tokens: idle.map((lease) => lease.token) }, { keepalive: true, quiet: true }).catch(() => {});
  }

  finishAll(leases) { leases.forEach((lease) => this.finish(lease.token)); }

  async #claim() {
    const count = Math.min(MOST, this.ahead + this.unsent());
    const { leases, protocol } = await post("queue/claim/", { kind: this.kind, count });
    this.dispatchEvent(new CustomEvent("classes", { detail: { protocol } }));
    const known = new Set(this.#leases.map((lease) => lease.token));
    this.#leases.push(...leases.filter((lease) => !known.has(lease.token) && !this.#done.has(lease.token)));
  }
}
