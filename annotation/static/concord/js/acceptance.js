/**
 * The panel of a pass that measures what is still wrong: what a sample would tell, how far one is, what it found.
 * Decides words and shapes; refuses to know who is asked, and which regions are in a sample.
 */

import { get, poll, post } from "./api.js";
import { ask, boot, count, duration, el, find, number, percent, replace, say, toast } from "./dom.js";

const EVERY_SECONDS = 5;

/** Fill `place` and keep it up to date; `base` is the address of the pass in the API. */
export function mountSample(place, base) {
  const address = `${base}sample/`;
  let polling = null;

  async function load() {
    try {
      draw(await get(address));
    } catch (error) {
      replace(place, el("p", { class: "note bad", text: error.message }));
    }
  }

  function draw(board) {
    const open = board.sample?.state === "open";
    replace(place, ...[body(board)].flat(2));
    if (open && !polling) polling = poll(address, EVERY_SECONDS, (found) => { if (found.sample?.done !== board.sample.done || found.sample?.state !== "open") draw(found); });
    if (!open) { polling?.stop(); polling = null; }
  }

  function body(board) {
    const { sample } = board;
    if (sample?.state === "open") return running(sample);
    const told = sample?.state === "closed" ? result(sample) : null;
    if (board.open_in !== null) return [told, el("p", {}, "A sample is being answered: that of ", el("a", { href: `${boot().screens}passes/${board.open_in}/`, text: `pass ${board.open_in}` }), ".")];
    if (!board.population) return [told, el("p", { class: "empty", text: "This pass saw no region that could be asked again. Settle some, and run a new pass." })];
    return [told, form(board, told ? "Draw another sample" : "Draw the sample")];
  }

  function running(sample) {
    const left = [
      sample.answering && `${count(sample.answering, "region")} wait${sample.answering === 1 ? "s" : ""} for answers`,
      sample.deciding && `${number(sample.deciding)} for an adjudicator`,
    ].filter(Boolean).join(", ");
    return [
      el("p", { text: `Sample ${sample.number}: ${number(sample.done)} of ${count(sample.size, "region")} done${left ? `; ${left}` : ""}. At least ${sample.opinions} people answer each of them; they don't know it.` }),
      el("progress", { max: sample.size, value: sample.done, "aria-label": "Regions of the sample that are done" }),
      el("div", { class: "buttons" }, el("button", { type: "button", on: { click: abandon } }, "Abandon the sample")),
    ];
  }

  function form(board, label) {
    const largest = board.foreseen.at(-1).size;
    const size = el("input", { id: "sample-size", name: "size", type: "number", min: 1, max: board.population, value: board.foreseen.find((one) => one.size === 200)?.size ?? largest, required: true });
    const rows = el("tbody", {}, board.foreseen.map(line));
    const node = el("form", { class: "filters", "aria-label": "Draw a sample" },
      el("div", { class: "field" }, el("label", { for: "sample-size", text: `Regions, of ${number(board.population)}` }), size),
      el("button", { type: "submit", class: "primary" }, label));
    node.addEventListener("submit", (event) => { event.preventDefault(); start(Number(size.value)); });
    size.addEventListener("change", () => foresee(Number(size.value), board, rows));
    return [
      el("p", { text: "Have a random part of what a release would hold answered again by people who don't see what stands, with an adjudicator where they differ. It tells what share of the labels is wrong, with an interval; what is found wrong becomes a finding of the next pass." }),
      node,
      el("table", {},
        el("caption", { class: "hint", text: `What a sample would tell at best, if ${percent(board.share, 0)} of the labels are wrong` }),
        el("thead", {}, el("tr", {}, ["Regions", "The share lies between", "Answers", "Work"].map((text, at) => el("th", { scope: "col", class: at === 1 ? null : "number", text })))), rows),
    ];
  }

  async function foresee(size, board, rows) {
    if (!Number.isInteger(size) || size < 1 || size > board.population) return;
    const found = await get(`${address}?size=${size}`).catch(() => null);
    if (found) replace(rows, found.foreseen.map(line));
    const one = found?.foreseen.find((row) => row.size === size);
    if (one) say(`${count(size, "region")}: the share lies between ${percent(one.low)} and ${percent(one.high)}.`);
  }

  async function start(size) {
    try {
      await post(address, { size });
      say(`A sample of ${count(size, "region")} was drawn.`);
      await load();
      find("button", place)?.focus();
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }

  async function abandon() {
    const sure = await ask({ title: "Abandon the sample?", body: "Nobody is asked any more, and nothing is measured. The answers given so far stay on record. You can draw another sample.", confirm: "Abandon", danger: true });
    if (!sure) return;
    try {
      await post(`${address}abandon/`);
      await load();
      say("The sample was abandoned.");
    } catch (error) {
      toast(error.message, { kind: "bad" });
    }
  }

  return load();
}

function line({ size, low, high, answers, hours }) {
  const work = hours === null ? "–" : duration(hours * 3600);
  return el("tr", {}, el("th", { scope: "row", class: "number", text: number(size) }), el("td", { text: `${percent(low)} and ${percent(high)}` }), el("td", { class: "number", text: number(answers) }), el("td", { class: "number", text: work }));
}

const bounds = ([value, low, high]) => `${percent(value)} (${percent(low)} to ${percent(high)})`;

function result(sample) {
  return el("div", { class: "note good" },
    el("p", {}, el("strong", { text: `Estimated share of wrong labels: ${bounds(sample.share)}` }), ` in this pass, from ${count(sample.size, "region")} of sample ${sample.number}.`),
    el("p", { text: sample.wrong
      ? `${count(sample.wrong, "region")} got another class. With ${sample.wrong === 1 ? "it" : "these"} mended: ${bounds(sample.after)}. Run a new pass: it lists them, and a release of it states what is left.`
      : "No region got another class. A release of a new pass states the estimate in its datasheet." }));
}
