/**
 * Slide overview: the regions of a slide over its picture and in a table, coloured and filtered as the address says.
 * Decides what a pointer, a key or a choice does; what is known of regions comes from the server in columns.
 */

import { get, poll } from "../api.js";
import { label as classLabel, byCode, swatch } from "../classes.js";
import { boot, count, el, find, number, replace, say, toast } from "../dom.js";
import * as keys from "../keys.js";
import { RegionTable } from "../slide/table.js";
import * as colourings from "../slide/colourings.js";
import { read } from "../slide/columns.js";
import { offerRetry } from "../slide/retry.js";
import { openSlide } from "../slideviewer.js";

const CHOICES = ["colour", "state", "label", "by", "order"];
const WAIT_SECONDS = 5;
const { slide, history: histories } = boot();

/** The page shows the regions by itself, as soon as they are there. */
function waitForRegions() {
  poll(slide.api, WAIT_SECONDS, (now) => { if (now.state !== slide.state) location.reload(); });
}

async function open() {
  const page = new Overview();
  try {
    await page.load();
  } catch (error) {
    find("#rows").removeAttribute("aria-busy");
    toast(`The regions could not be loaded. ${error.message}`, { kind: "bad", action: { label: "Try again", run: () => location.reload() } });
  }
}

class Overview {
  constructor() {
    this.form = find("#choices");
    this.viewer = openSlide(find("#viewer"), slide, {
      onHover: (index) => this.#describe(index < 0 ? this.viewer.selected : index),
      onPick: (index) => { if (index >= 0) this.#leave(index); },
      onView: (view) => showView(view),
      onTrouble: () => this.#complain(),
    });
    this.table = new RegionTable({ address: (index) => this.#address(index), onShow: (index) => this.#showFromTable(index) });
    this.asked = new URLSearchParams(location.search);
    this.#register();
  }

  async load() {
    this.columns = read(await get(slide.overlay));
    this.#offerChoices();
    this.form.addEventListener("change", () => this.#refresh({ aloud: true }));
    find("#order").addEventListener("change", (event) => event.stopPropagation() || this.#refresh());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.#refresh();
    await this.viewer.ready;
    const index = Number.parseInt(this.asked.get("at") ?? "", 10);
    if (index >= 0 && index < this.columns.count) this.#select(index, { aloud: false });
    // What tests look at instead of pixels.
    window.concord = { ...window.concord, slide: { overview: this, columns: this.columns, get selected() { return this.overview.viewer.selected; }, get drawn() { return this.overview.viewer.layer.drawn; } } };
    find("#viewer").dataset.state = "ready";
  }

  get #values() {
    return Object.fromEntries(CHOICES.map((name) => [name, find(`#${name}`).value]));
  }

  /** Fill the choices with what this slide has, and set them as the address asks. */
  #offerChoices() {
    const { labels, annotators, load } = this.columns;
    const known = boot().classes.map((one) => one.code);
    for (const code of [...known, ...labels.filter((one) => !known.includes(one))]) find("#label").append(el("option", { value: code }, byCode(code).name));
    for (const name of annotators) find("#by").append(el("option", { value: name }, name));
    for (const name of CHOICES) {
      const wanted = this.asked.get(name);
      const field = find(`#${name}`);
      if (wanted && [...field.options].some((one) => one.value === wanted)) field.value = wanted;
    }
    find("#by").disabled = !load.some(Boolean);
  }

  /** Colour, filter and list anew, and keep the choice in the address. */
  #refresh({ aloud = false } = {}) {
    const values = this.#values;
    this.shown = colourings.fit(this.columns, values);
    const { styles, codes, counts } = colourings.colour(values.colour, this.columns, this.shown);
    this.viewer.paint({ boxes: this.columns.boxes, styles, codes, shown: this.shown });
    this.table.fill(this.columns, this.shown, values.order);
    const why = ["uncertainty", "predicted"].includes(values.colour) ? this.columns.why : "";
    find("#why").textContent = why;
    find("#why").hidden = !why;
    replace(find("#legend tbody"), styles.map((style, place) => legendRow(style, counts[place])));
    this.#keep(values);
    if (aloud) say(`${count(counts.reduce((sum, one) => sum + one, 0), "region")} shown.${why ? ` ${why}` : ""}`);
  }

  #keep(values, at = null) {
    const wanted = Object.entries({ ...values, at }).filter(([name, value]) => value !== null && value !== "" && !(name === "colour" && value === "state"));
    const query = new URLSearchParams(wanted).toString();
    window.history.replaceState(null, "", query ? `?${query}` : location.pathname);
  }

  #register() {
    const inPicture = () => find("#viewer").contains(document.activeElement);
    const step = (dx, dy) => () => this.#step(dx, dy);
    const pan = (dx, dy) => () => this.viewer.pan(dx, dy);
    const bindings = [
      ["next-right", ["ArrowRight"], "Next region to the right", step(1, 0)],
      ["next-left", ["ArrowLeft"], "Next region to the left", step(-1, 0)],
      ["next-down", ["ArrowDown"], "Next region below", step(0, 1)],
      ["next-up", ["ArrowUp"], "Next region above", step(0, -1)],
      ["open", ["Enter"], "Open the history of the region", () => this.#openSelected()],
      ["close", ["z"], "Look at the region closely", () => this.viewer.selected >= 0 && this.viewer.close(this.viewer.selected)],
      ["leave", ["Escape"], "Let go of the region", () => this.#select(-1)],
      ["pan-right", ["Shift+ArrowRight"], "Move the picture right", pan(0.25, 0)],
      ["pan-left", ["Shift+ArrowLeft"], "Move the picture left", pan(-0.25, 0)],
      ["pan-down", ["Shift+ArrowDown"], "Move the picture down", pan(0, 0.25)],
      ["pan-up", ["Shift+ArrowUp"], "Move the picture up", pan(0, -0.25)],
      ["zoom-in", ["+", "="], "Zoom in", () => this.viewer.zoomIn()],
      ["zoom-out", ["-"], "Zoom out", () => this.viewer.zoomOut()],
      ["home", ["Digit0", "Home"], "Show the whole slide", () => this.viewer.home()],
    ];
    keys.register(bindings.map(([id, chords, label, run]) => ({
      id: `slide.${id}`, keys: chords, label, run, group: "In the picture", when: inPicture, repeat: /^(next|pan|zoom)/.test(id),
    })));
    find("#zoom-in").addEventListener("click", () => this.viewer.zoomIn());
    find("#zoom-out").addEventListener("click", () => this.viewer.zoomOut());
    find("#zoom-home").addEventListener("click", () => this.viewer.home());
    const strength = find("#strength");
    const draw = () => { this.viewer.strength = Number(strength.value) / 100; };
    strength.addEventListener("input", draw);
    draw();
  }

  #step(dx, dy) {
    const index = this.viewer.step(dx, dy);
    if (index < 0) say(this.viewer.selected < 0 ? "No region is shown." : "There is no region further this way.");
    else this.#select(index);
  }

  #select(index, { aloud = true } = {}) {
    this.viewer.select(index);
    this.#describe(index);
    if (aloud) say(index < 0 ? "No region." : `${words(this.columns, index)} Enter opens its history.`);
  }

  #showFromTable(index) {
    this.#select(index);
    this.viewer.close(index);
    find("#viewer").scrollIntoView({ block: "nearest" });
    find("#viewer").focus({ preventScroll: true });
  }

  #openSelected() {
    if (this.viewer.selected >= 0) this.#leave(this.viewer.selected);
    else say("No region is chosen: press an arrow key first.");
  }

  /** Go to the region's history; coming back finds this page as it is now. */
  #leave(index) {
    this.#keep(this.#values, index);
    location.assign(this.#address(index));
  }

  #address(index) {
    return `${histories}${this.columns.ids[index]}/`;
  }

  #describe(index) {
    if (index < 0 || !this.columns) {
      replace(find("#region-card"), el("p", { class: "hint", text: "Point at a region, or go to the picture and press an arrow key." }));
      return;
    }
    const { columns } = this;
    const [label, guess, by] = [columns.label(index), columns.guess(index), columns.by(index)];
    const facts = [
      ["State", columns.state(index)],
      ["Class", label ? classLabel(label) : "none yet"],
      ["Answers", by.length ? `${by.length} (${by.join(", ")})` : "none"],
      columns.percent && ["Uncertainty", `${columns.percent[index]} %`],
      guess && ["Model's guess", classLabel(guess)],
    ].filter(Boolean);
    replace(find("#region-card"), el("h2", {}, `Region ${number(index + 1)}`),
      el("img", { class: "peek", src: `${boot().api}regions/${columns.ids[index]}/thumbnail.jpg`, alt: "", width: 96, height: 96 }),
      el("dl", {}, facts.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", {}, value)])),
      el("p", {}, el("a", { href: this.#address(index) }, "Open its history")));
  }

  #complain() {
    if (this.complained) return;
    this.complained = true;
    toast("A part of the slide can't be read: its file may be damaged or gone. The regions and the table still hold.", { kind: "bad" });
  }
}

function legendRow(style, many) {
  return el("tr", {}, el("th", { scope: "row" }, el("span", { class: "class-label" }, swatch(style), el("span", { text: style.label }))), el("td", { class: "number", text: number(many) }));
}

function words(columns, index) {
  const label = columns.label(index);
  const parts = [`Region ${number(index + 1)}: ${columns.state(index)}`];
  if (label) parts.push(byCode(label).name);
  parts.push(count(columns.load[index], "answer"));
  if (columns.percent) parts.push(`uncertainty ${columns.percent[index]} %`);
  return `${parts.join(", ")}.`;
}

function showView({ bar, magnification }) {
  find("#scale .rule").style.width = `${bar.pixels}px`;
  find("#scale .length").textContent = bar.text;
  find("#magnification").textContent = magnification;
}

offerRetry();
if (slide.state === "tiled") open();
else waitForRegions();
