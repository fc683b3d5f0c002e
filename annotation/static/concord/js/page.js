/**
 * What every page of a study does, also one without a script of its own: the key sheet answers, the page explains itself.
 * Decides nothing else.
 */

import { explain } from "./firstvisit.js";
import "./keys.js";

explain();
