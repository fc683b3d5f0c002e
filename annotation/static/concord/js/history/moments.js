/**
 * Moments as people read them, in the reader's own time zone.
 * Decides their form; refuses to know what happened then.
 */

import { el } from "../dom.js";

const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** 2026-11-21T02:17:08Z -> "21 Nov 2026, 02:17:08". */
export const when = (moment) => FULL.format(new Date(moment));

/** The same as a node that machines read as well. */
export const time = (moment) => el("time", { datetime: moment, text: when(moment) });
