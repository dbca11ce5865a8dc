// One cell of a map and how it comes about: patch x weights = products, their sum, what follows.

import { explain, partsOf, peak, receptiveField, valueAt } from "./contributions.js";
import { contextOf, drawMaps, frame, mostOf } from "./network_painting.js";

const $ = (id) => document.getElementById(id);
const [from, to] = [$("from"), $("to")];
const SLIDING = 2000; // ms
const [WINDOW, FIELD] = ["#c8f751", "#8895a3"]; // the colours of frames
const still = matchMedia("(prefers-reduced-motion: reduce)");

let place = null; // {stage, number, cell, source, since}: since when the window slides, or null
let changed; // tells whoever shows which map is open

export const shown = () => place;

/** Open a map at one of its cells, the largest if none is named. */
export function open(stage, number, cell = peak(stage.layer, number)) {
  const parts = partsOf(stage, number).map(Math.abs);
  place = { stage, number, cell, source: parts.indexOf(Math.max(...parts)), since: still.matches ? null : performance.now() };
  $("place").hidden = false;
  changed();
  repaint();
  $("place").scrollIntoView({ block: "nearest" });
}

export function close() {
  if (!place) return;
  const inside = $("place").contains(document.activeElement);
  place = null;
  $("place").hidden = true;
  if (inside) $("network").focus();
  changed();
}

/** Open the map `step` further in the same stage. */
export function next(step) {
  const count = place.stage.layer.shape[2];
  open(place.stage, (place.number + step + count) % count);
}

export const focus = () => to.focus();

export function start(whenChanged) {
  changed = whenChanged;
  $("shut").addEventListener("click", close);
  $("previous").addEventListener("click", () => next(-1));
  $("next").addEventListener("click", () => next(1));
  addEventListener("keydown", ({ key }) => key === "Escape" && close());
}

// --------------------------------------------------------------- the window

function move(cell) {
  const [height, width] = place.stage.layer.shape;
  const within = (at, count) => Math.min(count - 1, Math.max(0, at));
  place.cell = [within(cell[0], height), within(cell[1], width)];
  place.since = null;
  repaint();
}

to.addEventListener("keydown", (event) => {
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!by) return;
  event.preventDefault();
  move([place.cell[0] + by[0], place.cell[1] + by[1]]);
});

for (const canvas of [from, to]) {
  const pull = ({ offsetX, offsetY, buttons }) => {
    if (!buttons) return;
    const { layer, input } = place.stage;
    const { shape } = canvas === to ? layer : input;
    const at = [(offsetY / canvas.clientHeight) * shape[0], (offsetX / canvas.clientWidth) * shape[1]];
    move(canvas === to ? at.map(Math.floor) : cellOver(place.stage, at));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pull(event);
  });
  canvas.addEventListener("pointermove", pull);
}

/** The cell whose window lies best over a point of the input. */
function cellOver(stage, [y, x]) {
  const nearest = (count, middle) =>
    Array.from({ length: count }, (_, i) => i).reduce((best, i) => (Math.abs(middle(i)) < Math.abs(middle(best)) ? i : best), 0);
  const field = (cell) => receptiveField(stage, cell);
  const row = nearest(stage.layer.shape[0], (i) => field([i, 0]).top + field([i, 0]).rows / 2 - y);
  const column = nearest(stage.layer.shape[1], (i) => field([0, i]).left + field([0, i]).columns / 2 - x);
  return [row, column];
}

// ----------------------------------------------------------------- painting

/** Where the window is now: for two seconds it slides over the whole map. */
function cellNow({ stage: { layer }, cell, since }) {
  const [height, width] = layer.shape;
  const at = since === null ? Infinity : Math.floor(((performance.now() - since) / SLIDING) * height * width);
  return at < height * width ? [Math.floor(at / width), at % width] : cell;
}

let waiting = 0;

export function repaint() {
  cancelAnimationFrame(waiting);
  if (!place) return;
  const { stage, number, source } = place;
  const { conv, layer, input } = stage;
  const cell = cellNow(place);
  if (cell === place.cell) place.since = null;
  else waiting = requestAnimationFrame(repaint);
  const made = explain(stage, number, cell);
  const square = { x: 0, y: 0, size: from.clientWidth };
  const context = contextOf(from);
  drawMaps(context, [{ ...square, number: source }], input);
  if (layer !== conv) frame(context, square, input.shape, receptiveField(stage, cell), FIELD);
  frame(context, square, input.shape, made.window, WINDOW);
  const shape = [...conv.kernel.slice(0, 2), input.shape[2]];
  for (const [id, most] of [["patch", mostOf(input.values)], ["weights"], ["products"]]) {
    drawMaps(contextOf($(id)), tiles(shape[2], square.size), { values: made[id], shape }, most);
  }
  const result = contextOf(to);
  drawMaps(result, [{ ...square, number }], layer);
  frame(result, square, layer.shape, { top: cell[0], left: cell[1], rows: 1, columns: 1 }, WINDOW);
  $("which").textContent = `${conv.name}: map ${number + 1} of ${layer.shape[2]}`;
  $("from").nextElementSibling.textContent = shape[2] > 1 ? `Map ${source + 1} of ${shape[2]}` : "The image";
  to.setAttribute("aria-label", `Row ${cell[0] + 1}, column ${cell[1] + 1} of the map; arrow keys move the window`);
  $("steps").replaceChildren(...made.steps.map((step) => item(step, made, stage)));
}

/** Squares side by side, one for each channel. */
function tiles(count, side) {
  const across = Math.ceil(Math.sqrt(count));
  const step = side / across;
  const size = count > 1 ? step - Math.max(1, step / 8) : step;
  return Array.from({ length: count }, (_, number) => ({ x: (number % across) * step, y: Math.floor(number / across) * step, size, number }));
}

const figure = (value) => value.toFixed(2).replace("-", "−");
const signed = (value) => `${value < 0 ? "−" : "+"} ${figure(Math.abs(value))}`;

const WORDS = {
  Conv2D: (_, __, { products, sum, bias }) => `Sum of ${products.length} products ${figure(sum)} ${signed(bias)} bias`,
  MaxPooling2D: ({ pooled }) => `Largest of ${pooled.rows}×${pooled.columns}`,
  AveragePooling2D: ({ pooled }) => `Mean of ${pooled.rows}×${pooled.columns}`,
  BatchNormalization: ({ layer }, number) => `Normalised: × ${figure(layer.weights[number])} ${signed(layer.bias[number])}`,
  ReLU: () => "ReLU, below 0 is 0",
};

function item(step, made, { conv }) {
  const line = document.createElement("li");
  const result = Object.assign(document.createElement("b"), { textContent: figure(step.value) });
  line.append(WORDS[step.layer.type](step, place.number, made), " ");
  if (step.pooled) line.append(pooled(step.pooled, mostOf(conv.values)), " ");
  line.append("= ", result);
  return line;
}

/** The cells that were pooled, small. */
function pooled({ rows, columns, values }, most) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 48, height: 48 });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  drawMaps(context, [{ x: 0, y: 0, size: 48, number: 0 }], { values, shape: [rows, columns, 1] }, most);
  return canvas;
}
