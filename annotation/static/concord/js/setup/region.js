/**
 * The size of a region, shown on a real slide with the tiling drawn over it.
 * Decides how size and counts are put into words; the tiling itself comes from the server, cut as a worker would.
 */

import { get, url } from "../api.js";
import { count, el, find, number, percent, replace, say } from "../dom.js";
import { boxes, openSlide } from "../slideviewer.js";
import { complain, field, freeze } from "./fields.js";
import { later } from "./saving.js";

const LOOK = { colour: "#0b5d7a", pattern: 0, letter: "", isPlain: true, outline: "#0b3b4d" };

export async function draw(body, page) {
  const { state } = page;
  const edge = el("input", { id: "region-edge", type: "number", min: 1, max: 20000, step: 1, value: state.region_edge });
  const isFixed = state.region_um_per_px !== null;
  const unit = el("select", { id: "region-unit" },
    el("option", { value: "px", selected: !isFixed }, "pixels of the slide, whatever they measure"), el("option", { value: "um", selected: isFixed }, "pixels of a given size, the same tissue on every scanner"));
  const size = el("input", { id: "region-um", type: "number", min: 0.001, step: "any", value: state.region_um_per_px ?? "" });
  const sizeField = field("Size of a pixel (µm)", size, { hint: "0.25 is about a 40x objective, 0.5 about 20x." });
  const words = el("div", { id: "region-words", "aria-live": "polite" });
  const preview = el("div", { class: "tiling" });
  let viewer = null;
  let slide = null;
  let shown = -1;
  const save = later(async () => {
    const wanted = { edge: Number(edge.value), um_per_px: unit.value === "um" ? Number(size.value) || null : null };
    if (unit.value === "um" && !wanted.um_per_px) { complain(size, "Give the size of a pixel in micrometres, such as 0.25."); return; }
    try {
      await page.save("region", wanted);
      [edge, size].forEach((input) => complain(input, ""));
      await look();
    } catch (error) {
      complain(edge, error.message);
    }
  });
  [edge, size].forEach((input) => input.addEventListener("input", save));
  unit.addEventListener("change", () => { sizeField.hidden = unit.value === "px"; save(); });
  sizeField.hidden = !isFixed;
  body.append(
    el("p", { text: "A region is what one person judges at a time. It should hold one cell in its surroundings, or one piece of tissue of one kind: large enough to decide, small enough to have one answer." }),
    el("div", { class: "row-form" }, field("Edge of a region", edge), field("in", unit), sizeField), words, preview);
  if (page.stepOf("region").fixed) freeze(body);

  const { results } = await get("setup/slides/?size=100");
  if (!results.length) {
    replace(preview, el("p", { class: "empty", text: page.stepOf("region").fixed ? "The slides of this study have been cut; the Slides page shows their regions." : "Add a slide first: the tiling is then drawn over it here." }));
    return () => save.flush();
  }
  buildPreview(results);
  await choose(results[0]);

  function buildPreview(slides) {
    const choice = el("select", { id: "tiling-slide" }, slides.map((one) => el("option", { value: one.id }, one.name)));
    choice.addEventListener("change", () => choose(slides.find((one) => one.id === choice.value)));
    const button = (id, text, run) => el("button", { type: "button", class: "small", id, on: { click: run } }, text);
    replace(preview, el("div", { class: "tiling-bar" }, field("Shown on", choice),
      button("zoom-in", "Zoom in", () => viewer.zoomIn()), button("zoom-out", "Zoom out", () => viewer.zoomOut()), button("whole", "Whole slide", () => viewer.home()),
      button("close-up", "A region close up", () => closeUp()), button("next-region", "Next region", () => closeUp(1))),
    el("div", { id: "tiling-stage", class: "tiling-stage", role: "group" }));
  }

  async function choose(row) {
    slide = row;
    viewer?.destroy();
    const stage = find("#tiling-stage");
    replace(stage);
    const base = url(`setup/slides/${row.id}/`);
    viewer = openSlide(stage, { width: row.width, height: row.height, tiles: `${base}tiles/`, thumbnail: `${base}thumbnail.jpg`, um_per_px: row.um_per_px, objective: null });
    await viewer.ready;
    await look();
  }

  async function look() {
    if (!slide) return;
    const found = await get(`setup/slides/${slide.id}/tiling/`);
    shown = -1;
    const corners = found.boxes;
    const same = (value) => corners.map(() => value);
    viewer.select(-1);
    viewer.paint({ boxes: boxes(corners.map(([x]) => x), corners.map(([, y]) => y), same(found.region_width), same(found.region_height)), styles: [LOOK], codes: new Uint8Array(corners.length) });
    const said = describe(found);
    replace(words, said.map((text) => el("p", { text })));
    find("#tiling-stage").setAttribute("aria-label", `The slide ${slide.name} with ${count(found.regions, "region")} drawn over it.`);
    find("#close-up").disabled = find("#next-region").disabled = !corners.length;
    find("#tiling-stage").dataset.regions = String(found.regions);
    say(said[0]);
    const plan = await get("setup/plan/");
    words.append(el("p", { id: "region-total" }, "All slides together: ", el("strong", { text: `${plan.regions_counted ? "" : "about "}${count(plan.regions, "region")}` }), "."));
  }

  function describe(found) {
    const measured = found.um_per_px ? ` (${number(found.region_width * found.um_per_px, 1)} µm)` : "";
    const many = found.regions ? count(found.regions, "region") : "no region";
    const lines = [`This slide gives ${many} of ${number(found.region_width)} × ${number(found.region_height)} of its pixels${measured}. ${percent(found.tissue_share, 0)} of it is tissue.`];
    if (!found.um_per_px) lines.push(unit.value === "um" ? "This slide does not say how large its pixels are, so it is cut by its own pixels: the size may differ from the other slides." : "This slide does not say how large its pixels are; micrometres are unknown there.");
    if (!found.regions) lines.push("Nothing would be cut from it: make regions smaller, or lower the tissue that a square needs under Policy, Advanced.");
    if (found.regions > found.boxes.length) lines.push(`The first ${number(found.boxes.length)} are drawn.`);
    return lines;
  }

  function closeUp(by = 0) {
    const many = viewer.boxes.count;
    if (!many) return;
    shown = shown < 0 ? Math.floor(many / 2) : (shown + by) % many;
    viewer.select(shown, { pan: false });
    viewer.close(shown, 4);
    say(`Region ${shown + 1} of ${many}, in surroundings four times as wide.`);
  }

  return async () => { await save.flush(); viewer?.destroy(); };
}
