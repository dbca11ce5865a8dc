// What a cell of a map is made of: the patch of the input, the weights, and what follows.

import { before } from "./network.js";

const FOLLOWS = new Set(["MaxPooling2D", "AveragePooling2D", "BatchNormalization", "ReLU"]);

/** Each convolution of a model and what follows it map by map: {conv, chain, layer: the last, input}. */
export function stagesOf({ layers, image }) {
  const usersOf = (layer) => layers.filter(({ inputs }) => inputs.includes(layers.indexOf(layer)));
  return layers.filter(({ type }) => type === "Conv2D").map((conv) => {
    const chain = [conv];
    for (;;) {
      const users = usersOf(chain.at(-1));
      if (users.length !== 1 || !FOLLOWS.has(users[0].type) || users[0].shape.length !== 3) break;
      chain.push(users[0]);
    }
    return { conv, chain, layer: chain.at(-1), input: layers[conv.inputs[0]] ?? image };
  });
}

/** What a window of a convolution or pooling covers for one cell; it may reach beyond the edges. */
export function windowOf(layer, { shape }, [y, x]) {
  const size = layer.pool_size ?? layer.kernel.slice(0, 2);
  const [top, left] = before(layer.padding, shape.slice(0, 2), size, layer.strides);
  return { top: y * layer.strides[0] - top, left: x * layer.strides[1] - left, rows: size[0], columns: size[1] };
}

/** The values of some channels in a window: (rows, columns, channels). */
function valuesIn({ values, shape: [height, width, count] }, { top, left, rows, columns }, channels, beyondTheEdges) {
  const patch = [];
  for (let y = top; y < top + rows; y++) {
    for (let x = left; x < left + columns; x++) {
      const outside = y < 0 || x < 0 || y >= height || x >= width;
      for (const c of channels) patch.push(outside ? beyondTheEdges : values[(y * width + x) * count + c]);
    }
  }
  return patch;
}

/**
 * How one cell of a map comes about, {window, patch, weights, products, sum, bias, steps}. Arrays
 * lie as Keras has them, (rows, columns, channels). A step is {layer, cell, value}, and pooling has
 * the values that it looked at; the first step is the convolution. Of the cells that are pooled,
 * the largest is followed.
 */
export function explain({ conv, chain, input }, number, cell) {
  const steps = [];
  for (let i = chain.length - 1; i >= 0; i--) {
    const layer = chain[i];
    const value = layer.values[(cell[0] * layer.shape[1] + cell[1]) * layer.shape[2] + number];
    steps.unshift({ layer, cell, value });
    if (!layer.pool_size) continue;
    const window = windowOf(layer, chain[i - 1], cell);
    const pooled = valuesIn(chain[i - 1], window, [number], -Infinity);
    steps[0].pooled = pooled.filter(Number.isFinite);
    const at = pooled.indexOf(Math.max(...pooled));
    cell = [window.top + Math.floor(at / window.columns), window.left + (at % window.columns)];
  }
  const window = windowOf(conv, input, cell);
  const patch = valuesIn(input, window, [...Array(input.shape[2]).keys()], 0);
  const weights = patch.map((_, i) => conv.weights[i * conv.bias.length + number]);
  const products = patch.map((value, i) => value * weights[i]);
  const sum = products.reduce((a, b) => a + b, 0);
  return { window, patch, weights, products, sum, bias: conv.bias[number], steps };
}

/** The cell [y, x] of a map that is largest. */
export function peak({ values, shape: [height, width, count] }, number) {
  let best = 0;
  for (let i = 0; i < height * width; i++) {
    if (values[i * count + number] > values[best * count + number]) best = i;
  }
  return [Math.floor(best / width), best % width];
}

/** How much each map of its input gives to a map, where that is largest. */
export function partsOf(stage, number) {
  return byMap(explain(stage, number, peak(stage.layer, number)).products, stage.input.shape[2]);
}

/** How much each map of a stage gives to a digit; undefined where other layers stand between. */
export function partsOfAnswer({ layers }, { layer }, digit) {
  const dense = layers.findLast(({ type }) => type === "Dense");
  let given = layers[dense?.inputs[0]];
  const values = given?.values;
  while (["Flatten", "GlobalAveragePooling2D", "Reshape"].includes(given?.type)) given = layers[given.inputs[0]];
  if (given !== layer) return undefined;
  return byMap(values.map((value, i) => value * dense.weights[i * dense.bias.length + digit]), layer.shape[2]);
}

function byMap(values, count) {
  const parts = new Float32Array(count);
  values.forEach((value, i) => (parts[i % count] += value));
  return parts;
}
