/**
 * Saves what is being entered, a moment after each change, under the lease's version.
 * Decides when to save and what to do when another tab was first; refuses to know what was entered.
 */

import { put } from "../api.js";

const PAUSE_MS = 500;

export class Autosave {
  #lease = null;
  #content = null;
  #timer = 0;
  #saving = null;

  /** `show({word, text, settle})` tells the state: "saved", "saving", "unsaved"; `settle` lists ways out. */
  constructor(show) {
    this.show = show;
  }

  /** A region is before the person: what is saved already is known. */
  open(lease) {
    clearTimeout(this.#timer);
    this.#lease = lease;
    this.#content = null;
    this.show({ word: "saved", text: lease?.entered ? "Saved" : "" });
  }

  /** Something was entered. */
  change(content) {
    if (!this.#lease) return;
    this.#content = content;
    this.#lease.entered = content;
    this.show({ word: "saving", text: "Saving…" });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), PAUSE_MS);
  }

  /** Save at once what is not saved yet. */
  async flush({ keepalive = false } = {}) {
    clearTimeout(this.#timer);
    if (this.#saving && !keepalive) await this.#saving;
    if (!this.#lease || !this.#content) return;
    const [lease, content] = [this.#lease, this.#content];
    this.#content = null;
    this.#saving = this.#save(lease, content, keepalive).finally(() => { this.#saving = null; });
    await this.#saving;
  }

  async #save(lease, content, keepalive) {
    const tell = (state) => { if (lease === this.#lease && !this.#content) this.show(state); };
    try {
      const { version } = await put("queue/draft/", { token: lease.token, content, version: lease.entered_version }, { keepalive, quiet: keepalive });
      lease.entered_version = version;
      tell({ word: "saved", text: "Saved" });
    } catch (error) {
      if (error.code === "stale-draft") tell(this.#stale(lease, content, error));
      else {
        if (error.status === 0 || error.status >= 500) this.#again(lease, content);
        tell({ word: "unsaved", text: `Not saved: ${error.message}`, lost: error.code === "lease-lost" });
      }
    }
  }

  #stale(lease, content, error) {
    const { version, content: theirs } = error.details;
    const take = (chosen) => () => {
      lease.entered_version = version;
      this.change(chosen);
      return chosen;
    };
    return { word: "unsaved", text: `Not saved: ${error.message}`, settle: { mine: take(content), theirs: take(theirs ?? {}) } };
  }

  #again(lease, content) {
    if (lease !== this.#lease || this.#content) return;
    this.#content = content;
    this.#timer = setTimeout(() => this.flush(), 5000);
  }
}
