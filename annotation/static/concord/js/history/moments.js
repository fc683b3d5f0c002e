/**
 * Moments of a history, to the second: two events of one minute are two.
 * Decides how exact they are; how a moment is written, dom.js says.
 */

import { el, moment } from "../dom.js";

/** 2026-11-21T02:17:08Z -> "2026-11-21 02:17:08 UTC". */
export const when = (at) => moment(at, { seconds: true });

/** The same as a node that machines read as well. */
export const time = (at) => el("time", { datetime: at, text: when(at) });
