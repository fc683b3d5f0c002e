/**
 * The columns of a slide's regions as the API sends them, made ready to be looked up by a region's index.
 * Decides types; refuses to know how they are shown.
 */

import { boxes } from "./boxes.js";

const numbers = (text, count, even) => (text ? Int32Array.from(text.split(","), Number) : new Int32Array(count).fill(even));

/** Two hexadecimal digits a value. */
function bytes(text) {
  if (!text) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.substr(2 * i, 2), 16));
}

/** Columns by name; `label` and `guess` give a class code or "", `by` the pseudonyms of those who have answered. */
export function read(sent) {
  const { count, truth, answers, uncertainty } = sent;
  const [wide, high] = sent.size ?? [0, 0];
  const box = boxes(numbers(sent.x, count), numbers(sent.y, count), numbers(sent.width, count, wide), numbers(sent.height, count, high));
  const classes = new Int16Array(count).fill(-1);
  truth.at.forEach((index, place) => { classes[index] = truth.code[place]; });
  const load = new Uint8Array(count);
  const givers = new Map();
  answers.at.forEach((index, place) => {
    load[index] += 1;
    if (!givers.has(index)) givers.set(index, []);
    givers.get(index).push(answers.annotators[answers.by[place]]);
  });
  const ids = sent.ids ? sent.ids.split(" ") : [];
  const percent = bytes(uncertainty.percent);
  const predicted = bytes(uncertainty.predicted);
  return {
    count, ids, boxes: box, load, percent,
    model: uncertainty.model,
    why: uncertainty.why,
    annotators: answers.annotators,
    labels: truth.codes,
    guesses: uncertainty.codes,
    state: (index) => sent.states[Number(sent.state[index])],
    label: (index) => (classes[index] < 0 ? "" : truth.codes[classes[index]]),
    guess: (index) => (predicted ? uncertainty.codes[predicted[index]] ?? "" : ""),
    by: (index) => givers.get(index) ?? [],
  };
}
