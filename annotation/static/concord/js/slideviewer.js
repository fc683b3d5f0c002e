/**
 * A whole slide with boxes drawn over it: pan, zoom, a small map, a scale, and a box under the pointer or the keys.
 * Decides how a slide is shown; refuses to know what the boxes stand for. Drawn on 2-D canvases.
 *
 *   const slide = openSlide(element, {width, height, tiles, thumbnail, um_per_px, objective});
 *   slide.paint({boxes: boxes(x, y, width, height), styles: [{colour, pattern, letter}], codes});
 */

/* global OpenSeadragon */

import { el } from "./dom.js";
import "./osd.js";
import * as find from "./slide/boxes.js";
import { Layer } from "./slide/layer.js";
import * as scales from "./slide/scale.js";

export { boxes } from "./slide/boxes.js";

const TILE = 256;
const ZOOM_STEP = 1.5;
const NOTHING = () => {};

/** Open a slide in `element`. `onHover(index)`, `onPick(index)`: -1 is no box; `onView({bar, magnification})`. */
export function openSlide(element, slide, events = {}) {
  return new SlideViewer(element, slide, events);
}

class SlideViewer {
  #osd;
  #hovered = -1;

  constructor(element, slide, { onHover = NOTHING, onPick = NOTHING, onView = NOTHING, onTrouble = NOTHING }) {
    Object.assign(this, { slide, onHover, onPick, onView, boxes: find.boxes([], [], [], []), shown: null, selected: -1, isOpen: false });
    const stage = el("div", { class: "slide-stage-inner" });
    this.layer = new Layer(slide);
    this.map = el("div", { class: "slide-map", "aria-hidden": "true", style: { "aspect-ratio": `${slide.width} / ${slide.height}` } },
      slide.thumbnail && el("img", { src: slide.thumbnail, alt: "", draggable: "false" }), el("span", { class: "seen" }));
    this.map.addEventListener("click", (event) => this.#pickOnMap(event));
    element.append(stage, this.map);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#osd = new OpenSeadragon.Viewer({
      element: stage, drawer: "canvas", tileSources: source(slide), showNavigationControl: false, keyboardNavEnabled: false, tabIndex: "",
      animationTime: still ? 0 : 0.3, immediateRender: true, visibilityRatio: 0.5, minZoomImageRatio: 0.7, maxZoomPixelRatio: 4,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false }, gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true },
    });
    this.ready = new Promise((resolve) => this.#osd.addOnceHandler("open", () => { this.#start(); resolve(this); }));
    this.#osd.addHandler("tile-load-failed", () => onTrouble());
    this.#osd.addHandler("open-failed", () => onTrouble());
  }

  #start() {
    this.#osd.canvas.append(this.layer.canvas);
    this.isOpen = true;
    this.#osd.addHandler("update-viewport", () => this.#look());
    this.#osd.addHandler("resize", () => requestAnimationFrame(() => this.#look()));
    this.#osd.addHandler("canvas-click", (event) => {
      event.preventDefaultAction = true;
      if (event.quick) this.onPick(this.#under(event.position));
    });
    new OpenSeadragon.MouseTracker({
      element: this.#osd.container,
      moveHandler: (event) => this.#hover(this.#under(event.position)),
      leaveHandler: () => this.#hover(-1),
    });
    this.#look();
  }

  /** Draw boxes: `codes` names for each which of `styles` {colour, pattern, letter, isPlain} it has. */
  paint({ boxes, styles, codes, shown = null }) {
    Object.assign(this, { boxes, shown });
    if (this.selected >= boxes.count || (shown && !shown[this.selected])) this.select(-1);
    this.layer.paint({ boxes, styles, codes, shown });
  }

  /** How strongly boxes are drawn, 0 to 1. */
  set strength(value) { this.layer.canvas.style.opacity = value; }

  /** Mark a box, and bring it into view. */
  select(index, { pan = true } = {}) {
    this.selected = index;
    this.layer.mark(index);
    if (index >= 0 && pan && this.isOpen) this.#show(index);
  }

  /** The box to go to from the selected one; from none: the one nearest to the middle of the view. */
  step(dx, dy) {
    if (this.selected >= 0) return find.next(this.boxes, this.selected, dx, dy, this.shown);
    const middle = this.#osd.viewport.viewportToImageCoordinates(this.#osd.viewport.getCenter(true));
    return find.nearest(this.boxes, middle.x, middle.y, this.shown);
  }

  zoomIn() { this.#zoom(ZOOM_STEP); }
  zoomOut() { this.#zoom(1 / ZOOM_STEP); }
  home() { this.#osd.viewport.goHome(); }

  /** Move the view by shares of itself. */
  pan(dx, dy) {
    const seen = this.#osd.viewport.getBounds();
    this.#osd.viewport.panBy(new OpenSeadragon.Point(dx * seen.width, dy * seen.height)).applyConstraints();
  }

  /** Fill the view with a box and some room around it. */
  close(index, times = 4) {
    const { x, y, width, height } = this.boxes;
    const around = (times - 1) / 2;
    const box = [x[index] - width[index] * around, y[index] - height[index] * around, width[index] * times, height[index] * times];
    this.#osd.viewport.fitBounds(this.#osd.viewport.imageToViewportRectangle(...box));
  }

  /** Resolves when all tiles in view are drawn. */
  async settled() {
    await this.ready;
    const image = this.#osd.world.getItemAt(0);
    while (!image.getFullyLoaded()) await new Promise(requestAnimationFrame);
  }

  destroy() { this.#osd.destroy(); }

  #zoom(by) {
    const { viewport } = this.#osd;
    const at = this.selected < 0 ? undefined : this.#centre(this.selected);
    viewport.zoomBy(by, at).applyConstraints();
  }

  #centre(index) {
    const { x, y, width, height } = this.boxes;
    return this.#osd.viewport.imageToViewportCoordinates(x[index] + width[index] / 2, y[index] + height[index] / 2);
  }

  #show(index) {
    const { viewport } = this.#osd;
    const seen = viewport.getBounds();
    const centre = this.#centre(index);
    const isInside = seen.containsPoint(centre, 0);
    if (!isInside) viewport.panTo(centre);
  }

  #under(position) {
    const point = this.#osd.viewport.viewerElementToImageCoordinates(position);
    return find.at(this.boxes, point.x, point.y, this.shown);
  }

  #hover(index) {
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#osd.canvas.style.cursor = index < 0 ? "" : "pointer";
    this.onHover(index);
  }

  #pickOnMap(event) {
    const box = this.map.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    this.#osd.viewport.panTo(this.#osd.viewport.imageToViewportCoordinates(x * this.slide.width, y * this.slide.height));
  }

  #look() {
    const { viewport } = this.#osd;
    const corner = viewport.imageToViewerElementCoordinates(new OpenSeadragon.Point(0, 0));
    const far = viewport.imageToViewerElementCoordinates(new OpenSeadragon.Point(this.slide.width, 0));
    const { x: width, y: height } = viewport.getContainerSize();
    const zoom = (far.x - corner.x) / this.slide.width;
    this.layer.look({ left: corner.x, top: corner.y, zoom, width, height });
    const share = (value, whole) => `${Math.min(100, Math.max(0, (value / zoom / whole) * 100))}%`;
    const seen = this.map.lastChild.style;
    seen.left = share(-corner.x, this.slide.width);
    seen.top = share(-corner.y, this.slide.height);
    seen.right = `calc(100% - ${share(width - corner.x, this.slide.width)})`;
    seen.bottom = `calc(100% - ${share(height - corner.y, this.slide.height)})`;
    this.onView({ zoom, bar: scales.bar(zoom, this.slide.um_per_px), magnification: scales.magnification(zoom, this.slide.um_per_px, this.slide.objective) });
  }
}

/** The tiles of the API: 256 pixels without overlap; level 0 is the whole slide in one pixel. */
function source({ width, height, tiles }) {
  const maxLevel = Math.ceil(Math.log2(Math.max(width, height)));
  return {
    width, height, tileSize: TILE, tileOverlap: 0, maxLevel, minLevel: Math.min(8, maxLevel),
    getTileUrl: (level, column, row) => `${tiles}${level}/${column}_${row}.jpg`,
  };
}
