// One cell of a map and how it comes about: patch x weights = products, their sum, what follows.

import { explain, partsOf, peak } from "./contributions.js";
import { contextOf, drawMaps, frame, mostOf } from "./network_painting.js";
import { element } from "./showing.js";

const $ = (id) => document.getElementById(id);
const [from, to] = [$("from"), $("to")];
const SLIDING = 2000; // ms
const WINDOW = "#c8f751"; // the colour of its frame
const still = matchMedia("(prefers-reduced-motion: reduce)");

let place = null; // {stage, number, cell, source, since}: since when the window slides, or null
let changed; // tells whoever shows which map is open

export const shown = () => place;

/** Open a map at one of its cells, the largest if none is named. */
export function open(stage, number, cell = peak(stage.layer, number)) {
  const parts = partsOf(stage, number).map(Math.abs);
  place = { stage, number, cell, source: parts.indexOf(Math.max(...parts)), since: still.matches ? null : performance.now() };
  $("place").hidden = false;
  $("which").textContent = `${stage.conv.name}: map ${number + 1} of ${stage.layer.shape[2]}`;
  from.nextElementSibling.textContent = parts.length > 1 ? `Map ${place.source + 1}` : "Image";
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
    const [height, width] = place.stage.layer.shape;
    move([Math.floor((offsetY / canvas.clientHeight) * height), Math.floor((offsetX / canvas.clientWidth) * width)]);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pull(event);
  });
  canvas.addEventListener("pointermove", pull);
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
  frame(context, square, input.shape, made.window, WINDOW);
  const shape = [...conv.kernel.slice(0, 2), input.shape[2]];
  for (const [id, most] of [["patch", mostOf(input.values)], ["weights"], ["products"]]) {
    drawMaps(contextOf($(id)), tiles(shape[2], square.size), { values: made[id], shape }, most);
  }
  const result = contextOf(to);
  drawMaps(result, [{ ...square, number }], layer);
  frame(result, square, layer.shape, { top: cell[0], left: cell[1], rows: 1, columns: 1 }, WINDOW);
  to.setAttribute("aria-label", `Row ${cell[0] + 1}, column ${cell[1] + 1} of the map; arrow keys move the window`);
  $("steps").replaceChildren(...made.steps.map((step) => item(step, made)));
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
  Conv2D: (_, __, { products, sum, bias }) => `Sum of ${products.length}: ${figure(sum)} ${signed(bias)} bias`,
  MaxPooling2D: ({ pooled }) => `Largest of ${pooled.map(figure).join(", ")}`,
  AveragePooling2D: ({ pooled }) => `Mean of ${pooled.map(figure).join(", ")}`,
  BatchNormalization: ({ layer }, number) => `Normalised: × ${figure(layer.weights[number])} ${signed(layer.bias[number])}`,
  ReLU: () => "ReLU, below 0 is 0",
};

function item(step, made) {
  const line = element("li");
  line.append(element("span", "", WORDS[step.layer.type](step, place.number, made)), element("b", "", `= ${figure(step.value)}`));
  return line;
}
