/**
 * My queue: what to do next and what came back, asked again now and then. Asking renews no lease.
 * Decides how it is laid out; what a person may know of the queue is decided on the server.
 */

import { drawTray } from "../annotate/tray.js";
import { poll } from "../api.js";
import { byCode, label } from "../classes.js";
import { ago, boot, count, duration, el, find, moment, number, replace } from "../dom.js";
import { hint, register } from "../keys.js";
import { Outbox } from "../outbox.js";

const LOOK_EVERY_S = 15;
const skew = new Date(boot().now).getTime() - Date.now();
const outbox = new Outbox(boot().person);
let seen = null;

const start = () => { if (seen?.lease || !seen?.reason_empty) location.assign(boot().urls.annotate); };

register([
  { id: "start", keys: ["Enter"], label: "Start, or go on", run: start },
  { id: "gallery", keys: ["g"], label: "Open the gallery", run: () => location.assign(boot().urls.gallery) },
]);

outbox.addEventListener("change", () => drawTray(find("#unsent"), outbox));
drawTray(find("#unsent"), outbox);
outbox.flush();
poll("queue/", LOOK_EVERY_S, draw, (error) => replace(find("#next"), el("p", { class: "problem", text: error.message })));
setInterval(() => { if (seen?.lease) replace(find("#time-left"), timeLeft(seen.lease)); }, 1000);

function draw(answer) {
  seen = answer;
  const focused = document.activeElement?.id;
  replace(find("#next"), next(answer));
  if (focused) document.getElementById(focused)?.focus();
  replace(find("#figures"), figures(answer));
  list("#drafts", answer.drafts, "Entered, but not accepted", "The time for these ran out. They are offered again when the region comes back to you.", draft);
  list("#returned", answer.returned, "Sent back to you", "A manager asks you to look again. While opinions on them are wanted, they come first.", returned);
  list("#skipped", answer.skipped, "Skipped by you", "You will not be asked about these again.", skipped);
}

function next({ lease, held, reason_empty: empty, qualification: test }) {
  if (!lease && empty) {
    return [
      el("p", { class: "why-empty", dataset: { code: empty.code }, text: empty.message }),
      el("p", { class: "hint", text: "This page looks again by itself: you can leave it open." }),
    ];
  }
  const words = lease ? "Go on" : "Start";
  return [
    test?.state === "open" && el("p", { class: "note", id: "entry-test" }, el("strong", { text: `Entry test: ${number(test.done)} of ${number(test.of)} answered. ` }),
      "The class of these regions is known. Once enough of your answers are right, the study's own regions follow. Skipped ones do not count as right."),
    lease && el("p", { class: "held" },
      el("img", { src: lease.region.thumbnail, alt: "", width: 72, height: 72 }),
      el("span", {}, `You hold ${count(held, "region")}. `, el("span", { id: "time-left" }, timeLeft(lease)))),
    el("p", { class: "buttons" },
      el("a", { class: "button primary large", id: "start", href: boot().urls.annotate }, words, " ", hint("start")),
      el("a", { class: "button", id: "gallery", href: boot().urls.gallery }, "Gallery", " ", hint("gallery"))),
  ];
}

function timeLeft(lease) {
  const seconds = (new Date(lease.expires_at).getTime() - Date.now() - skew) / 1000;
  return seconds > 0 ? `Kept for you for ${duration(seconds)} more.` : "Its time is over; it may go to somebody else.";
}

function figures({ answers_today: today, remaining, undo }) {
  const { low, high, seconds_each: pace } = remaining;
  const range = (from, to, show) => (show(from) === show(to) ? `about ${show(to)}` : `about ${show(from)} to ${show(to)}`);
  return [
    figure("Answered today", number(today), "since midnight UTC"),
    figure("Still to come", high ? range(low, high, number) : "nothing now", high ? "in this batch: an equal share at least, all of it at most" : "more comes with the next batch"),
    figure("That takes", high && pace ? range(low * pace, high * pace, duration) : "–", pace ? `at your own pace, ${number(pace, 1)} s a region` : "known after your first answers"),
    undo && figure("Last answer", byCode(undo.label).name, `can be taken back on Annotate until ${clockTime(undo.until)}`),
  ];
}

/** Of today or of the next minutes: the hour is enough. */
const clockTime = (at) => moment(at).slice(11);

function figure(name, value, hintText) {
  return el("div", { class: "figure" }, el("dt", { text: name }), el("dd", {}, el("strong", { text: value }), el("span", { class: "hint", text: hintText })));
}

function list(selector, rows, title, text, show) {
  const place = find(selector);
  place.hidden = rows.length === 0;
  place.setAttribute("aria-label", title);
  replace(place, el("h2", {}, `${title} (${number(rows.length)})`), el("p", { class: "hint", text }),
    el("ul", { class: "queue-rows", tabindex: rows.length > 6 ? "0" : null, "aria-label": title }, rows.map((row) => el("li", {},
      el("img", { src: row.region.thumbnail, alt: "", width: 48, height: 48, loading: "lazy" }), el("div", {}, show(row))))));
}

function draft({ content, saved_at: at }) {
  return [
    content.answer?.label ? label(content.answer.label) : el("span", { text: "No class chosen" }),
    content.comment && el("p", { text: `“${content.comment}”` }),
    el("p", { class: "hint", text: `Saved ${ago(at)}` }),
  ];
}

const returned = ({ note, returned_at: at }) => [el("p", { class: "manager-note", text: note }), el("p", { class: "hint", text: `Sent back ${ago(at)}` })];

const skipped = ({ reason, skipped_at: at }) => [el("p", { text: reason }), el("p", { class: "hint", text: `Skipped ${ago(at)}` })];
