/**
 * Fills for a canvas that look like the swatches of the stylesheet: a colour, one of eight patterns, a letter.
 * Decides how strong the marks are; refuses to know what a fill means.
 */

import { ink } from "../colours.js";

const SIDE = 8;
const kept = new Map();

/** The CanvasPattern (or colour) of a style {colour, pattern}, made once. */
export function fillOf(context, { colour, pattern }) {
  if (!pattern) return colour;
  const name = `${colour} ${pattern}`;
  if (!kept.has(name)) kept.set(name, context.createPattern(draw(colour, pattern), "repeat"));
  return kept.get(name);
}

function draw(colour, pattern) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = SIDE;
  const brush = tile.getContext("2d");
  brush.fillStyle = colour;
  brush.fillRect(0, 0, SIDE, SIDE);
  brush.strokeStyle = brush.fillStyle = ink(colour) === "#000000" ? "rgb(0 0 0 / 45%)" : "rgb(255 255 255 / 55%)";
  brush.lineWidth = 1.5;
  MARKS[pattern % MARKS.length](brush);
  return tile;
}

function line(brush, ...points) {
  brush.beginPath();
  points.forEach(([x, y], place) => (place % 2 ? brush.lineTo(x, y) : brush.moveTo(x, y)));
  brush.stroke();
}

// In the order of .pattern-1 to .pattern-7.
const MARKS = [
  () => {},
  (brush) => line(brush, [0, 8], [8, 0], [-2, 2], [2, -2], [6, 10], [10, 6]),
  (brush) => { brush.fillRect(1, 1, 2, 2); brush.fillRect(5, 5, 2, 2); },
  (brush) => line(brush, [0, 0], [8, 8], [-2, 6], [2, 10], [6, -2], [10, 2]),
  (brush) => line(brush, [0, 2], [8, 2], [0, 6], [8, 6]),
  (brush) => line(brush, [2, 0], [2, 8], [6, 0], [6, 8]),
  (brush) => line(brush, [0, 4], [8, 4], [4, 0], [4, 8]),
  (brush) => { brush.fillRect(0, 0, 4, 4); brush.fillRect(4, 4, 4, 4); },
];
