/**
 * One region at full sharpness, with dimmed surroundings to zoom out into, a small map, scale and brightness.
 * Decides how a region is shown and kept ready; refuses to know what is asked about it. Drawn on a 2-D canvas.
 */

/* global OpenSeadragon */

import { el, number, say } from "./dom.js";
import "./osd.js";
import { CONTEXT, contextUrl, sharpUrl } from "./regionimage.js";
import { Overview } from "./regionviewer/overview.js";
import { Tone } from "./regionviewer/tone.js";

const SURROUNDINGS_OPACITY = 0.45;
const ZOOM_STEP = 1.3;
const PAN_STEP = 0.12;
const SCALE_PX = 130;
const EYEPIECE_UM = 10;

/**
 * A viewer inside `element`. `show(region)` resolves when the region is drawn sharp; `keep([region, …])` has the next
 * ones ready and lets go of the others; `bindings(group)` are its keys. Regions are as the API gives them.
 */
export class RegionViewer {
  #osd;
  #ready = new Map();
  #region = null;
  #coming = null;
  #shown = null;
  #wanted = 0;

  constructor(element, { label = "Region", toneName = "tone" } = {}) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stage = el("div", { class: "region-stage", role: "img", "aria-label": label });
    this.scale = el("p", { class: "region-scale" });
    this.overview = new Overview({ onPick: (x, y) => this.#osd.viewport.panTo(new OpenSeadragon.Point(x, y)) });
    element.classList.add("region-viewer");
    element.replaceChildren(this.stage, this.overview.element, this.scale);
    this.element = element;
    this.#osd = new OpenSeadragon.Viewer({
      element: this.stage, drawer: "canvas", showNavigationControl: false, keyboardNavEnabled: false, tabIndex: "",
      animationTime: still ? 0 : 0.2, immediateRender: true, visibilityRatio: 0.2, minZoomLevel: 0.05, maxZoomPixelRatio: 24,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true }, silenceMultiImageWarnings: true, preload: true,
    });
    this.tone = new Tone(toneName, (filter) => { this.#osd.drawer.canvas.style.filter = filter; });
    this.#osd.addHandler("update-viewport", () => this.#measure());
    this.#osd.addHandler("resize", () => requestAnimationFrame(() => this.#region && this.home(true)));
  }

  /** The region that is shown, or null. */
  get region() { return this.#region; }

  /** Show a region; resolves with true when it is drawn sharp, with false when another one was wanted meanwhile. */
  async show(region, { label = null } = {}) {
    const turn = ++this.#wanted;
    this.#coming = region;
    this.element.dataset.state = "loading";
    const images = await this.#load(region);
    if (turn !== this.#wanted) return false;
    this.#region = region;
    if (this.#shown !== images) this.#hide();
    this.#shown = images;
    images.context?.setOpacity(SURROUNDINGS_OPACITY);
    images.sharp.setOpacity(1);
    if (label) this.stage.setAttribute("aria-label", label);
    this.overview.show(region, contextUrl(region), CONTEXT);
    this.home(true);
    if (!await this.#drawn(images.sharp, turn)) return false;
    this.element.dataset.state = "sharp";
    this.element.dataset.region = region.id;
    return true;
  }

  /** Have these regions ready, in this order; let go of others, but not of what is shown or about to be. */
  keep(regions) {
    const wanted = new Set([...regions, this.#region, this.#coming].map((one) => one?.id));
    for (const [id, images] of this.#ready) {
      if (wanted.has(id)) continue;
      this.#ready.delete(id);
      images.then(({ sharp, context }) => [sharp, context].forEach((one) => one && this.#osd.world.removeItem(one)), () => {});
    }
    for (const region of regions) this.#load(region).then(() => this.#countReady(), () => {});
    this.#countReady();
  }

  /** Nothing is shown any more. */
  clear() {
    this.#wanted += 1;
    this.#region = null;
    this.#coming = null;
    this.#hide();
    this.keep([]);
    delete this.element.dataset.region;
    this.element.dataset.state = "empty";
  }

  /** The whole region, as large as it fits. */
  home(immediately = false) {
    this.#osd.viewport.fitBounds(this.#bounds(1), immediately);
  }

  /** The surroundings, or back to the region. */
  toggleContext() {
    const wide = this.#osd.viewport.getZoom() > this.#homeZoom() * 0.7;
    if (wide) this.#osd.viewport.fitBounds(this.#bounds(CONTEXT));
    else this.home();
    say(wide ? "Surroundings shown, four times as wide." : "Region shown.");
  }

  destroy() {
    this.#osd.destroy();
  }

  /** The viewer's keys, for keys.register. */
  bindings(group = "Picture") {
    const pan = (x, y) => () => this.#pan(x, y);
    const zoom = (by) => () => this.#zoom(by);
    const tone = (what, by) => () => say(this.tone.change(what, by));
    return [
      { id: "view.left", keys: ["ArrowLeft"], label: "Move the view left", run: pan(-1, 0), repeat: true },
      { id: "view.right", keys: ["ArrowRight"], label: "Move the view right", run: pan(1, 0), repeat: true },
      { id: "view.up", keys: ["ArrowUp"], label: "Move the view up", run: pan(0, -1), repeat: true },
      { id: "view.down", keys: ["ArrowDown"], label: "Move the view down", run: pan(0, 1), repeat: true },
      { id: "view.in", keys: ["+", "="], label: "Zoom in", run: zoom(ZOOM_STEP), repeat: true },
      { id: "view.out", keys: ["-"], label: "Zoom out", run: zoom(1 / ZOOM_STEP), repeat: true },
      { id: "view.home", keys: ["Home"], label: "Show the whole region", run: () => this.home() },
      { id: "view.context", keys: ["z", "Alt+z"], label: "Surroundings and back", run: () => this.toggleContext() },
      { id: "view.darker", keys: ["["], label: "Darker", run: tone("brightness", -1), repeat: true },
      { id: "view.brighter", keys: ["]"], label: "Brighter", run: tone("brightness", 1), repeat: true },
      { id: "view.flatter", keys: ["{"], label: "Less contrast", run: tone("contrast", -1), repeat: true },
      { id: "view.crisper", keys: ["}"], label: "More contrast", run: tone("contrast", 1), repeat: true },
      { id: "view.tone", keys: ["\\"], label: "Brightness and contrast as they were", run: () => say(this.tone.reset()) },
    ].map((one) => ({ group, ...one }));
  }

  /** How many regions besides the shown one could be shown at once: for those who watch the page. */
  async #countReady() {
    const others = [...this.#ready].filter(([id]) => id !== this.#region?.id).map(([, images]) => settled(images));
    const ready = (await Promise.all(others)).filter((images) => images?.sharp.getFullyLoaded());
    this.element.dataset.ready = String(ready.length);
  }

  #load(region) {
    if (!this.#ready.has(region.id)) {
      const loading = this.#add(region);
      this.#ready.set(region.id, loading);
      loading.catch(() => { if (this.#ready.get(region.id) === loading) this.#ready.delete(region.id); });
    }
    return this.#ready.get(region.id);
  }

  async #add(region) {
    const high = region.height / region.width;
    const around = (CONTEXT - 1) / 2;
    const images = { sharp: null, context: null };
    images.sharp = await this.#image({ url: sharpUrl(region), x: 0, y: 0, width: 1 });
    // The surroundings come when they come: nobody waits for them.
    this.#image({ url: contextUrl(region), x: -around, y: -around * high, width: CONTEXT, index: 0 }).then((context) => {
      images.context = context;
      if (!this.#ready.has(region.id)) this.#osd.world.removeItem(context);
      else if (this.#region?.id === region.id) context.setOpacity(SURROUNDINGS_OPACITY);
    }, () => {});
    return images;
  }

  #image({ url, ...place }) {
    return new Promise((resolve, reject) => {
      this.#osd.addTiledImage({
        ...place, opacity: 0, preload: true,
        tileSource: decoded(url),
        success: ({ item }) => {
          item.addHandler("fully-loaded-change", () => this.#countReady());
          resolve(item);
        },
        error: () => reject(new Error("The picture of this region could not be loaded.")),
      });
    });
  }

  #hide() {
    this.#shown?.sharp.setOpacity(0);
    this.#shown?.context?.setOpacity(0);
    this.#shown = null;
  }

  /** True in the frame after the picture was drawn with all its pixels; false once another one is wanted. */
  #drawn(image, turn) {
    return new Promise((resolve) => {
      const isWanted = () => turn === this.#wanted;
      const look = () => {
        if (!isWanted()) { resolve(false); return; }
        if (!image.getFullyLoaded()) { requestAnimationFrame(look); return; }
        this.#osd.forceRedraw();
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(isWanted())));
      };
      look();
    });
  }

  #bounds(times) {
    const high = this.#region ? this.#region.height / this.#region.width : 1;
    const around = (times - 1) / 2;
    return new OpenSeadragon.Rect(-around, -around * high, times, times * high);
  }

  #homeZoom() {
    const { x, y } = this.#osd.viewport.getContainerSize();
    const high = this.#region ? this.#region.height / this.#region.width : 1;
    return Math.min(1, y / x / high);
  }

  #pan(x, y) {
    const seen = this.#osd.viewport.getBounds();
    this.#osd.viewport.panBy(new OpenSeadragon.Point(x * seen.width * PAN_STEP, y * seen.height * PAN_STEP));
    this.#osd.viewport.applyConstraints();
  }

  #zoom(by) {
    this.#osd.viewport.zoomBy(by);
    this.#osd.viewport.applyConstraints();
  }

  #measure() {
    if (!this.#region) return;
    const { viewport } = this.#osd;
    this.overview.frame(viewport.getBounds(true));
    const perPixel = (viewport.getZoom(true) * viewport.getContainerSize().x) / this.#region.width;
    this.scale.replaceChildren(...scaleBar(perPixel, this.#region.um_per_px));
  }
}

/** A picture as one tile that lies decoded on a canvas: showing it costs no decoding. */
function decoded(url) {
  const source = new OpenSeadragon.ImageTileSource({ url, buildPyramid: false });
  source.downloadTileStart = async (job) => {
    const { image, width, height } = source;
    await image.decode().catch(() => {});
    const pen = el("canvas", { width, height }).getContext("2d");
    pen.drawImage(image, 0, 0);
    job.finish(pen, null, "context2d");
  };
  return source;
}

async function settled(promise) {
  try {
    return await promise;
  } catch {
    return null;
  }
}

/** A bar of a round length, and how much the picture is magnified; pixels where the slide has no size of them. */
function scaleBar(perPixel, umPerPx) {
  const perUnit = umPerPx ? perPixel / umPerPx : perPixel;
  const length = roundDown(SCALE_PX / perUnit);
  const unit = umPerPx ? "µm" : "px";
  const digits = length < 1 ? 2 : 0;
  const power = umPerPx ? `${number(EYEPIECE_UM * perUnit, perUnit < 1 ? 1 : 0)}×` : "no pixel size";
  return [
    el("span", { class: "bar", "aria-hidden": "true", style: { width: `${Math.round(length * perUnit)}px` } }),
    el("span", { text: `${number(length, digits)} ${unit}` }),
    el("span", { class: "power", title: "Magnification, and screen pixels for each pixel of the slide", text: `${power} · ${number(perPixel * 100)} %` }),
  ];
}

function roundDown(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map((step) => step * power).find((step) => step <= value) ?? power;
}
