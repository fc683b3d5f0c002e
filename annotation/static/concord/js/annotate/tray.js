/**
 * The tray of answers that were not accepted: what was entered stays to be seen until it is given again or let go.
 * Decides how a refused answer is shown; refuses to send it: it counts only under a new lease of its region.
 */

import { label } from "../classes.js";
import { count, el, replace } from "../dom.js";

/** Draw the tray into `element` from the outbox. */
export function drawTray(element, outbox) {
  const refused = outbox.refused;
  element.hidden = refused.length === 0;
  replace(element,
    el("h2", { text: `${count(refused.length, "answer")} not accepted` }),
    el("p", { class: "hint", text: "Nothing is lost: when the region comes back to you, what you entered is offered again." }),
    el("ul", {}, refused.map((job) => row(job, outbox))));
}

function row(job, outbox) {
  return el("li", {},
    job.region?.thumbnail && el("img", { src: job.region.thumbnail, alt: "", width: 40, height: 40, loading: "lazy" }),
    el("div", {},
      label(job.label),
      job.body.comment && el("p", { class: "hint", text: `“${job.body.comment}”` }),
      el("p", { class: "why", text: job.refused.message })),
    el("button", { type: "button", class: "quiet small", "aria-label": `Let go of this answer: ${job.label}`, on: { click: () => outbox.forget(job.key) } }, "Let go"));
}
