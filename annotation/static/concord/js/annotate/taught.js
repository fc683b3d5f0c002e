/**
 * What a region was, told after the answer where it was a test and the study teaches by it.
 * Decides how calmly it is said; whether anything is said is decided on the server.
 */

import { byCode } from "../classes.js";
import { el, replace, say } from "../dom.js";

/** Show in `place` what the server says of answers sent from `outbox`; the newest one stays until it is closed. */
export function teach(place, outbox) {
  outbox.addEventListener("sent", ({ detail: { job, answer } }) => { if (answer?.feedback) draw(place, job, answer.feedback); });
}

function draw(place, job, { is_right: isRight, name, definition }) {
  const words = isRight ? `That was a test, and right: ${name}.` : `That was a test: it is ${name}, and you answered ${byCode(job.label).name}.`;
  place.hidden = false;
  place.dataset.right = String(isRight);
  replace(place,
    job.region?.thumbnail && el("img", { src: job.region.thumbnail, alt: "", width: 56, height: 56 }),
    el("p", {}, el("strong", { text: words })),
    definition && el("p", { text: definition }),
    el("button", { type: "button", class: "small", on: { click: () => { place.hidden = true; } } }, "Understood"));
  say(words);
}
