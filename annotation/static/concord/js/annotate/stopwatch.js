/**
 * Time spent on one region: not while the page is hidden, and not while nobody touches anything.
 * Decides what counts as work; refuses to know what the time is for.
 */

const IDLE_AFTER_MS = 60_000;

export class Stopwatch {
  #spent = 0;
  #since = null;
  #input = 0;

  constructor() {
    for (const type of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      addEventListener(type, () => this.#touch(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#stop() : this.#touch()));
  }

  /** A new region: from zero. */
  start() {
    this.#spent = 0;
    this.#since = this.#input = performance.now();
  }

  /** Seconds of work since the start. */
  get seconds() {
    this.#stop();
    this.#touch();
    return Math.round(this.#spent / 100) / 10;
  }

  #touch() {
    const now = performance.now();
    if (this.#since !== null && now - this.#input > IDLE_AFTER_MS) this.#stop();
    this.#since ??= now;
    this.#input = now;
  }

  #stop() {
    if (this.#since === null) return;
    this.#spent += Math.min(performance.now(), this.#input + IDLE_AFTER_MS) - this.#since;
    this.#since = null;
  }
}
