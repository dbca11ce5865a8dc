// One living network: the digit as drawn -> what each layer makes of it -> the ten bars.
//
// A map is drawn after its ReLU, one colour scale a layer with zero in the middle. Lines are the
// strongest contributions to the answer. A click on a map shows its kernel sliding over the image.

import { percent, withArticle } from "./showing.js";
import { chosenDigit, store, watchStore } from "./store.js";

const canvas = document.getElementById("network");
const caption = document.getElementById("caption");
const MOST = 64; // maps of a layer that are shown: the strongest
const LINES = 5; // from each layer on

let network; // undefined until the first answer
let stages = []; // {name, maps: [{x, y, size, number, strength}], layer, from}
let sliding = null; // {stage, map, at}

/** Show the layers of this network from now on; null where only the server can run it. */
export function follow(opened) {
  if (network === opened) return;
  network = opened;
  document.getElementById("inside").hidden = !network;
  repaint();
}

watchStore(() => {
  sliding = null;
  repaint();
});
document.getElementById("inside").addEventListener("toggle", repaint);
new ResizeObserver(repaint).observe(canvas);

let waiting = 0;

function repaint() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(paint);
}

/** The layers to be seen: each convolution's maps as they leave it, after ReLU where there is one. */
function seenLayers() {
  const { layers } = network;
  const blocks = layers.map((layer, i) => ({ layer, i })).filter(({ layer }) => layer.type === "Conv2D");
  return blocks.map(({ layer, i }, n) => {
    const until = blocks[n + 1]?.i ?? layers.length;
    const block = layers.slice(i, until).filter(({ shape }) => shape.length === 3);
    const last = block.findLast(({ type }) => type === "ReLU") ?? block.at(-1);
    return { layer: last, conv: layer, input: layers[layer.inputs[0]] };
  });
}

function paint() {
  const details = canvas.parentElement;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!details.open || !network || !width) return;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const context = canvas.getContext("2d");
  context.scale(devicePixelRatio, devicePixelRatio);
  const box = chosenDigit();
  if (box) network.run(box.seen);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const seen = seenLayers();
  const column = width / (seen.length + 2);
  const side = Math.min(column * 0.8, height * 0.8, 160);
  const image = { x: 1, y: (height - side) / 2, size: side, number: 0 };
  drawMaps(context, [image], { values: box?.seen ?? new Uint8Array(784), shape: [28, 28, 1] });
  stages = seen.map((one, i) => ({ ...one, maps: layOut(one.layer, column * (i + 1), column * 0.86, height - 18) }));
  const bars = layOutBars(width - column * 0.8, column * 0.8, height - 18);
  if (box) drawLines(context, image, bars, box, color);
  context.font = "12px system-ui, sans-serif";
  for (const { layer, maps, conv } of stages) {
    drawMaps(context, maps, layer);
    context.fillStyle = color("--soft");
    context.fillText(`${conv.shape.at(-1)} maps of ${layer.shape[0]}×${layer.shape[1]}`, maps[0].x, height - 3, column * 0.9);
  }
  drawBars(context, bars, box, color);
  if (sliding && box) slide(context, color);
  else say(box);
}

/** Where the strongest maps of a layer lie, in their order. */
function layOut({ values, shape }, left, width, height) {
  const count = shape[2];
  const strengths = new Float32Array(count);
  values.forEach((value, i) => (strengths[i % count] += Math.abs(value)));
  const order = [...strengths.keys()].sort((a, b) => strengths[b] - strengths[a]).slice(0, MOST).sort((a, b) => a - b);
  let columns = 1;
  while (Math.ceil(order.length / columns) * (width / columns) > height) columns++;
  const step = width / columns;
  const top = (height - Math.ceil(order.length / columns) * step) / 2;
  return order.map((number, i) => ({
    x: left + (i % columns) * step,
    y: top + Math.floor(i / columns) * step,
    size: step - Math.min(2, step / 6),
    number,
  }));
}

/** Maps of a layer, one colour scale for all: blue above zero, orange below. */
function drawMaps(context, maps, { values, shape: [height, width, count] }) {
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  const image = new ImageData(width * maps.length, height);
  maps.forEach(({ number }, n) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = values[(y * width + x) * count + number] / most;
        const [red, green, blue] = value >= 0 ? [110, 185, 255] : [255, 150, 40];
        const share = Math.sqrt(Math.abs(value));
        const at = 4 * (y * image.width + n * width + x);
        image.data[at] = 16 + share * (red - 16);
        image.data[at + 1] = 20 + share * (green - 20);
        image.data[at + 2] = 28 + share * (blue - 28);
        image.data[at + 3] = 255;
      }
    }
  });
  const small = Object.assign(document.createElement("canvas"), { width: image.width, height });
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.strokeStyle = "#80808060";
  context.lineWidth = 1;
  maps.forEach(({ x, y, size }, n) => {
    context.drawImage(small, n * width, 0, width, height, x, y, size, size);
    context.strokeRect(x, y, size, size);
  });
}

const layOutBars = (x, width, height) =>
  Array.from({ length: 10 }, (_, d) => ({ x, y: (height * d) / 10 + 2, width, height: height / 10 - 4 }));

function drawBars(context, bars, box, color) {
  context.font = "600 13px system-ui, sans-serif";
  context.textBaseline = "middle";
  bars.forEach(({ x, y, width, height }, d) => {
    context.strokeStyle = color("--line");
    context.strokeRect(x + 16, y, width - 17, height);
    context.fillStyle = d === box?.digit ? color("--accent") : color("--edge");
    context.fillRect(x + 16, y, (width - 16) * (box?.probabilities[d] ?? 0), height);
    context.fillStyle = d === box?.digit ? color("--accent") : color("--soft");
    context.fillText(d, x + 2, y + height / 2 + 1);
  });
  context.textBaseline = "alphabetic";
}

// ------------------------------------------------------------ contributions

/** Lines from what speaks most for the answer, or against it, back to the image. */
function drawLines(context, image, bars, box, color) {
  const dense = network.layers.findLast(({ type }) => type === "Dense");
  const last = stages.at(-1);
  if (!dense || !last || dense.kernel[0] !== last.layer.values.length) return;
  const [maps, inputs] = [last.layer.shape[2], dense.kernel[1]];
  const parts = new Float32Array(maps);
  last.layer.values.forEach((value, i) => (parts[i % maps] += value * dense.weights[i * inputs + box.digit]));
  let targets = strongest(last.maps, parts);
  for (const { map, part } of targets) line(context, right(map), left(bars[box.digit]), part, color);
  for (let s = stages.length - 1; s >= 0; s--) {
    const next = new Map();
    for (const { map } of targets) {
      const parts = contributions(stages[s], map.number);
      const sources = s ? strongest(stages[s - 1].maps, parts).slice(0, 2) : [{ map: image, part: 1 }];
      for (const source of sources) {
        line(context, right(source.map), left(map), source.part, color);
        next.set(source.map, source);
      }
    }
    targets = [...next.values()].slice(0, LINES);
  }
}

/** How much each input map of a convolution gives to one of its maps, where that is largest. */
function contributions({ conv, input }, number) {
  const [rows, columns, channels, filters] = conv.kernel;
  const parts = new Float32Array(channels);
  const [y, x] = peak(conv, number);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = ((y * conv.strides[0] + row) * input.shape[1] + x * conv.strides[1] + column) * channels;
      for (let c = 0; c < channels; c++) {
        parts[c] += (input.values[at + c] ?? 0) * conv.weights[((row * columns + column) * channels + c) * filters + number];
      }
    }
  }
  return parts;
}

function peak({ values, shape }, number) {
  let best = 0;
  for (let i = 0; i < shape[0] * shape[1]; i++) {
    if (values[i * shape[2] + number] > values[best * shape[2] + number]) best = i;
  }
  return [Math.floor(best / shape[1]), best % shape[1]];
}

const strongest = (maps, parts) =>
  maps.map((map) => ({ map, part: parts[map.number] })).sort((a, b) => Math.abs(b.part) - Math.abs(a.part)).slice(0, LINES);
const left = ({ x, y, size, height }) => [x, y + (size ?? height) / 2];
const right = ({ x, y, size }) => [x + size, y + size / 2];

function line(context, [x, y], [toX, toY], part, color) {
  context.strokeStyle = part >= 0 ? color("--accent") : color("--doubt");
  context.globalAlpha = 0.6;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, y);
  context.bezierCurveTo(x + (toX - x) / 2, y, x + (toX - x) / 2, toY, toX, toY);
  context.stroke();
  context.globalAlpha = 1;
}

// ------------------------------------------------------------ sliding kernel

canvas.addEventListener("click", ({ offsetX, offsetY }) => {
  sliding = null;
  for (const stage of stages) {
    const map = stage.maps.find(({ x, y, size }) => offsetX >= x && offsetY >= y && offsetX < x + size && offsetY < y + size);
    if (map) choose(stage, map);
  }
  repaint();
});

canvas.addEventListener("keydown", ({ key }) => {
  const all = stages.flatMap((stage) => stage.maps.map((map) => ({ stage, map })));
  const move = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (!move || !all.length || !store.answer) return;
  const now = all.findIndex(({ stage, map }) => stage.layer === sliding?.stage.layer && map.number === sliding?.map.number);
  const { stage, map } = all[(now + move + all.length) % all.length];
  choose(stage, map);
  repaint();
});

function choose(stage, map) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  sliding = { stage, map, started: still ? null : performance.now() };
}

/** Draw the window of a kernel on the map that gives it most, and where its result goes. */
function slide(context, color) {
  const { stage, map, started } = sliding;
  const { conv, input } = stage;
  const parts = contributions(stage, map.number);
  const source = parts.reduce((best, part, c) => (Math.abs(part) > Math.abs(parts[best]) ? c : best), 0);
  const [height, width] = conv.shape;
  const at = started === null ? null : Math.floor((performance.now() - started) / 40) % (height * width);
  const [y, x] = at === null ? peak(conv, map.number) : [Math.floor(at / width), at % width];
  const size = Math.min(canvas.clientHeight - 16, 200);
  const [from, to] = [{ x: 8, y: 8, size, number: source }, { x: size + 32, y: 8, size, number: map.number }];
  context.fillStyle = color("--paper");
  context.fillRect(0, 0, 2 * size + 48, canvas.clientHeight);
  drawMaps(context, [from], input);
  drawMaps(context, [to], conv);
  const cell = size / input.shape[1];
  context.strokeStyle = color("--doubt");
  context.lineWidth = 2;
  context.strokeRect(from.x + x * conv.strides[1] * cell, from.y + y * conv.strides[0] * cell, conv.kernel[1] * cell, conv.kernel[0] * cell);
  context.strokeRect(to.x + (x * size) / width, to.y + (y * size) / height, size / width, size / height);
  tell(`Map ${map.number + 1} of ${conv.name}: its kernel of ${conv.kernel[0]}×${conv.kernel[1]} weights slides over the image. Blue: it found its pattern. A click beside it closes this.`);
  if (at !== null) repaint();
}

function say(box) {
  if (!box) return tell("Write a digit, and watch what each layer makes of it.");
  const certain = percent(box.probabilities[box.digit]);
  tell(`Left to right: the digit, what ${stages.length} convolutions see in it, and ${withArticle(box.digit)} with ${certain}. Blue speaks for it, orange against. A click on a map shows how it is made.`);
}

/** It is said aloud but once. */
function tell(text) {
  if (caption.textContent !== text) caption.textContent = text;
  canvas.setAttribute("aria-label", text);
}
