/**
 * How long a person looked at each cell: the time it had the focus, while the page was looked at and somebody was there.
 * Decides what counts as looking; refuses to know what was answered.
 */

const IDLE_AFTER_MS = 30_000;

export class Attention {
  #cell = null;
  #since = 0;
  #input = 0;

  constructor({ now = () => performance.now(), page = document } = {}) {
    this.now = now;
    this.page = page;
    this.#input = now();
    for (const type of ["keydown", "pointerdown", "pointermove", "wheel"]) page.addEventListener(type, () => this.#touch(), { passive: true, capture: true });
    page.addEventListener("visibilitychange", () => this.#settle());
    addEventListener("blur", () => this.#settle());
    addEventListener("focus", () => { this.#since = this.now(); });
  }

  /** From now on this cell is looked at; null: none. */
  look(cell) {
    this.#settle();
    this.#cell = cell;
  }

  /** Share what these cells and the one in focus have gathered: a label for many was one look at all of them. */
  share(cells) {
    this.#settle();
    const all = new Set(this.#cell && cells.length > 1 ? [...cells, this.#cell] : cells);
    const each = [...all].reduce((sum, cell) => sum + cell.seconds, 0) / Math.max(1, cells.length);
    for (const cell of all) cell.seconds = cells.includes(cell) ? each : 0;
  }

  #touch() {
    // Whoever comes back after a pause has not looked at the cell all the while.
    if (this.now() - this.#input > IDLE_AFTER_MS) this.#settle();
    this.#input = this.now();
  }

  #settle() {
    const end = Math.min(this.now(), this.#input + IDLE_AFTER_MS);
    if (this.#cell && end > this.#since) this.#cell.seconds += (end - this.#since) / 1000;
    this.#since = this.now();
  }
}
