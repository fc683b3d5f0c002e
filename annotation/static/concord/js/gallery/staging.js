/**
 * What was entered and not sent, and what was sent and can still be taken back, kept in this browser.
 * Decides that a reload or a lost session costs nothing; refuses to send. Kept by region, as tokens change.
 */

import { boot } from "../dom.js";

const KEPT_FOR_MS = 14 * 24 * 3600 * 1000;

export class Staging {
  #name;
  #store;

  /** `person` names whose work this is: one person in one study. `undoMinutes`: how long sendings are remembered. */
  constructor(person, { undoMinutes, store = localStorage }) {
    this.#name = `concord.gallery.${person}`;
    this.#store = store;
    this.undoMs = undoMinutes * 60_000;
    this.isKept = true;
    this.#read();
    addEventListener("storage", (event) => {
      if (event.key !== this.#name) return;
      this.#read();
      this.onOtherTab?.();
    });
  }

  /** What was entered for a region, or null. A class is said as it is called today, and not where it has ended. */
  of(region) {
    const { entered = null, protocol } = this.entries[region] ?? {};
    if (!entered?.label || !protocol || protocol === boot().protocol) return entered;
    return { ...entered, label: boot().continues?.[protocol]?.[entered.label] ?? "" };
  }

  /** Keep what was entered for regions: [[region, entered or null], …]; null forgets it. */
  keep(pairs) {
    for (const [region, entered] of pairs) {
      if (entered && (entered.label || entered.flagged || entered.comment)) this.entries[region] = { entered, at: Date.now(), protocol: boot().protocol };
      else delete this.entries[region];
    }
    this.#write();
  }

  /** Regions with something entered. */
  get regions() { return Object.keys(this.entries); }

  /** Remember a sending, so that it can be taken back after a reload, too. */
  remember(sending) {
    this.sendings = [...this.sendings.filter((one) => Date.now() - one.at < this.undoMs), sending];
    this.#write();
  }

  /** Forget a sending that was taken back. */
  forget(sending) {
    this.sendings = this.sendings.filter((one) => one.at !== sending.at);
    this.#write();
  }

  #read() {
    let kept = {};
    try {
      kept = JSON.parse(this.#store.getItem(this.#name) ?? "{}");
    } catch {
      this.isKept = false;
    }
    const isRecent = ([, one]) => Date.now() - one.at < KEPT_FOR_MS;
    this.entries = Object.fromEntries(Object.entries(kept.entries ?? {}).filter(isRecent));
    this.sendings = (kept.sendings ?? []).filter((one) => Date.now() - one.at < this.undoMs);
  }

  #write() {
    try {
      this.#store.setItem(this.#name, JSON.stringify({ entries: this.entries, sendings: this.sendings }));
    } catch {
      // No room, or forbidden: it works on, but would not outlive the page.
      this.isKept = false;
    }
  }
}
