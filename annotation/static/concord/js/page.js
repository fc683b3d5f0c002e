/**
 * What every page of a study does, also one without a script of its own: the key sheet answers.
 * Decides nothing else.
 */

import "./keys.js";
