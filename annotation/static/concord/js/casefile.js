/**
 * Draws what an adjudicator judges by: why the region is here, the answers, the posterior, the rules, the neighbours.
 * Decides the order of the page; refuses to know how a decision is sent.
 */

import { byCode, label, swatch } from "./classes.js";
import { count, el, number } from "./dom.js";
import { hint } from "./keys.js";
import { bars } from "./posterior.js";

const BADGES = {
  disagreement: ["warn", "Disagreement"],
  agreed: ["good", "Agreed"],
  incomplete: ["info", "Incomplete"],
  unanswered: ["info", "Nobody answered"],
};

/** Why the region is here. */
export function reasons(file) {
  const [kind, name] = BADGES[file.state];
  return el("section", { class: `why ${file.state}`, "aria-labelledby": "why-title" },
    el("h2", { id: "why-title", tabindex: -1 }, "Why it is here ", el("span", { class: `badge ${kind}`, text: name })),
    el("p", { class: "said", text: file.said.join(" ") }),
    file.note && el("p", { class: "note" }, el("strong", { text: "From a manager: " }), file.note),
    file.skips.length > 0 && el("details", {}, el("summary", { text: `Why ${count(file.skips.length, "person", "people")} skipped it` }),
      el("ul", {}, file.skips.map((text) => el("li", { text })))));
}

/** The answers as A, B, C; one line where they all agree. `take(opinion)` takes an answer's class. */
export function answers(file, take) {
  const list = el("ul", { class: "answers" }, file.opinions.map((one) => answer(one, take)));
  const heading = el("h2", { id: "answers-title", text: "Answers" });
  if (file.state !== "agreed") {
    const none = el("p", { class: "hint", text: "No answers yet: judge by the picture and the rules." });
    return el("section", { "aria-labelledby": "answers-title" }, heading, file.opinions.length ? list : none);
  }
  return el("section", { "aria-labelledby": "answers-title" }, heading,
    el("details", { class: "agreed" },
      el("summary", {}, `${count(file.opinions.length, "answer")} agree: `, label(file.opinions[0].answer.label)), list));
}

function answer(one, take) {
  const cls = byCode(one.answer.label);
  return el("li", { class: "answer" },
    el("span", { class: "letter", text: one.name }),
    el("div", { class: "said" }, label(cls),
      one.flagged && el("span", { class: "badge warn", text: "flagged" }),
      one.comment && el("blockquote", { text: one.comment })),
    el("button", { type: "button", class: "small", on: { click: () => take(one) } },
      "Take ", hint(`take-${one.name}`), el("span", { class: "visually-hidden", text: `, answer ${one.name}: ${cls.name}` })));
}

/** The posterior of the region, or why there is none. */
export function posterior(file) {
  if (!file.posterior.length) return null;
  return el("section", { class: "chances" }, bars(file.posterior, { caption: "What the answers make likely" }),
    el("p", { class: "hint", text: "From the answers and how reliable their authors are; the model has no vote." }));
}

/** Definitions and examples of the classes in question; `examples`: [{label, region, caption}]. */
export function rules(file, examples) {
  const codes = file.in_question.length ? file.in_question : [];
  if (!codes.length) return null;
  return el("details", { class: "rules", open: true, id: "rules" },
    el("summary", {}, el("h2", { text: "The protocol on these classes" }), hint("rules")),
    codes.map((code) => rule(byCode(code), examples.filter((one) => one.label === code))));
}

function rule(cls, examples) {
  return el("section", { class: "rule" },
    el("h3", {}, swatch(cls), el("span", { text: cls.name })),
    el("p", { text: cls.definition || "The protocol does not define this class." }),
    examples.length > 0 && el("ul", { class: "thumbs" }, examples.slice(0, 6).map((one) => el("li", {},
      el("img", { src: one.region.thumbnail, alt: `Example of ${cls.name}`, width: 64, height: 64, loading: "lazy" }),
      one.caption && el("span", { class: "hint", text: one.caption })))));
}

/** Settled regions near by with their labels. */
export function neighbours(file, umPerPx) {
  if (!file.neighbours.length) return el("p", { class: "hint", text: "No settled region lies near by." });
  return el("section", { "aria-labelledby": "near-title" },
    el("h2", { id: "near-title", text: "Settled near by" }),
    el("ul", { class: "thumbs near" }, file.neighbours.map((one) => el("li", {},
      el("img", { src: one.image, alt: "", width: 72, height: 72 }),
      label(one.label),
      el("span", { class: "hint", text: way(one, umPerPx) })))));
}

/** Where a neighbour lies, in words: "120 µm, up left". */
export function way({ right, down }, umPerPx) {
  const pixels = Math.hypot(right, down);
  const far = umPerPx ? `${number(pixels * umPerPx)} µm` : `${number(pixels)} px`;
  const parts = [];
  if (Math.abs(down) > pixels * 0.38) parts.push(down < 0 ? "up" : "down");
  if (Math.abs(right) > pixels * 0.38) parts.push(right < 0 ? "left" : "right");
  return `${far}, ${parts.join(" ")}`;
}
