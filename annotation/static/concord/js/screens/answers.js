/**
 * My answers: adds the signs of the classes to a table that stands without them.
 * Decides nothing.
 */

import { byCode, swatch } from "../classes.js";
import { findAll } from "../dom.js";
import "../keys.js";

for (const node of findAll("[data-class]")) {
  node.classList.add("class-label");
  node.prepend(swatch(byCode(node.dataset.class)));
}
