// The model, run here: the layers that digits/page/network.py writes, one image at a time.
//
// Values lie as Keras has them, (height, width, channels). What is 0 is passed over: paper, and
// half of what ReLU gives. Every layer keeps its values until the next image.

/** Read what the server wrote. Returns {layers, image, run}: see `run` below. */
export function readNetwork(buffer) {
  const [length, start] = new Uint32Array(buffer, 0, 2);
  const layers = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  let at = start;
  const take = (count) => {
    at += 4 * count;
    return new Float32Array(buffer, at - 4 * count, count);
  };
  for (const layer of layers) {
    if (layer.kernel) layer.weights = take(layer.kernel.reduce((a, b) => a * b));
    if (layer.type === "BatchNormalization") layer.weights = take(layer.shape.at(-1));
    if (layer.weights) layer.bias = take(layer.shape.at(-1));
  }
  const rows = Math.max(factors.length, ...layers.map((layer) => (layer.kernel ? layer.weights.length / layer.bias.length : 0)));
  factors = new Float64Array(rows);
  rowOf = new Int32Array(rows);
  return withValues(layers);
}

/** The same model with values of its own: for who looks at one image while others are read. */
export const twin = ({ layers }) => withValues(layers);

function withValues(plain) {
  const layers = plain.map((layer) => ({ ...layer, values: new Float32Array(layer.shape.reduce((a, b) => a * b)) }));
  const image = { shape: [28, 28, 1], values: new Float32Array(784) };
  return { layers, image, run: (pixels) => run(layers, image, pixels) };
}

/** The ten probabilities of 28x28 grey values; each layer's `values` are those of this image. */
function run(layers, image, pixels) {
  image.values.set(pixels);
  for (const layer of layers) {
    const inputs = layer.inputs.map((number) => layers[number] ?? image);
    LAYERS[layer.type](layer, inputs[0], inputs);
  }
  return Array.from(layers.at(-1).values);
}

const LAYERS = {
  Rescaling({ values, scale, offset }, input) {
    for (let i = 0; i < values.length; i++) values[i] = scale * input.values[i] + offset;
  },

  Conv2D({ values, shape, kernel, weights, bias, strides, padding }, input) {
    const [height, width, channels] = input.shape;
    const [rows, columns, , filters] = kernel;
    const [top, left] = before(padding, [height, width], [rows, columns], strides);
    for (let y = 0, at = 0; y < shape[0]; y++) {
      for (let x = 0; x < shape[1]; x++, at += filters) {
        let count = 0;
        for (let row = 0; row < rows; row++) {
          const v = y * strides[0] + row - top;
          if (v < 0 || v >= height) continue;
          for (let column = 0; column < columns; column++) {
            const u = x * strides[1] + column - left;
            if (u < 0 || u >= width) continue;
            count = gather(input.values, (v * width + u) * channels, channels, (row * columns + column) * channels, count);
          }
        }
        addProducts(values, at, count, weights, bias);
      }
    }
  },

  MaxPooling2D: (layer, input) => pool(layer, input, -Infinity, Math.max, (most) => most),

  AveragePooling2D: (layer, input) => pool(layer, input, 0, (a, b) => a + b, (sum, count) => sum / count),

  GlobalAveragePooling2D({ values }, input) {
    const channels = values.length;
    values.fill(0);
    input.values.forEach((value, i) => (values[i % channels] += value));
    for (let i = 0; i < channels; i++) values[i] *= channels / input.values.length;
  },

  BatchNormalization({ values, weights, bias }, input) {
    for (let i = 0, c = 0; i < values.length; i++) {
      values[i] = weights[c] * input.values[i] + bias[c];
      if (++c === bias.length) c = 0;
    }
  },

  ReLU({ values }, input) {
    for (let i = 0; i < values.length; i++) values[i] = input.values[i] > 0 ? input.values[i] : 0;
  },

  Softmax({ values }, input) {
    const most = Math.max(...input.values);
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(input.values[i] - most);
    for (let i = 0; i < values.length; i++) values[i] /= sum;
  },

  Dense({ values, weights, bias }, input) {
    addProducts(values, 0, gather(input.values, 0, input.values.length, 0, 0), weights, bias);
  },

  Add({ values }, _, inputs) {
    for (let i = 0; i < values.length; i++) values[i] = inputs.reduce((sum, one) => sum + one.values[i], 0);
  },

  Flatten: ({ values }, input) => values.set(input.values),

  Reshape: ({ values }, input) => values.set(input.values),
};

let factors = new Float64Array(0); // values that are not 0, and for each its row of weights
let rowOf = new Int32Array(0);

/** Note `count` values, of which the first goes with a row of weights; returns how many are noted. */
function gather(values, from, count, row, noted) {
  for (let i = 0; i < count; i++) {
    const value = values[from + i];
    if (value === 0) continue;
    factors[noted] = value;
    rowOf[noted++] = row + i;
  }
  return noted;
}

/** Bias and the sum of the noted products, for each filter; four products at a time. */
function addProducts(values, at, noted, weights, bias) {
  const filters = bias.length;
  for (let f = 0; f < filters; f++) values[at + f] = bias[f];
  let i = 0;
  for (; i + 3 < noted; i += 4) {
    const a = factors[i], b = factors[i + 1], c = factors[i + 2], d = factors[i + 3];
    const p = rowOf[i] * filters, q = rowOf[i + 1] * filters, r = rowOf[i + 2] * filters, s = rowOf[i + 3] * filters;
    for (let f = 0; f < filters; f++) {
      values[at + f] += a * weights[p + f] + b * weights[q + f] + c * weights[r + f] + d * weights[s + f];
    }
  }
  for (; i < noted; i++) {
    for (let f = 0, a = factors[i], p = rowOf[i] * filters; f < filters; f++) values[at + f] += a * weights[p + f];
  }
}

/** How many rows and columns of padding stand before an image. */
export function before(padding, size, window, strides) {
  if (padding === "valid") return [0, 0];
  return size.map((length, i) => {
    const missing = (Math.ceil(length / strides[i]) - 1) * strides[i] + window[i] - length;
    return Math.max(0, missing) >> 1;
  });
}

function pool({ values, shape, strides, padding, pool_size: [rows, columns] }, input, start, join, end) {
  const [height, width, channels] = input.shape;
  const [top, left] = before(padding, [height, width], [rows, columns], strides);
  for (let y = 0, at = 0; y < shape[0]; y++) {
    for (let x = 0; x < shape[1]; x++) {
      const [v, u] = [y * strides[0] - top, x * strides[1] - left];
      const [last, right] = [Math.min(v + rows, height), Math.min(u + columns, width)];
      for (let c = 0; c < channels; c++) {
        let [sum, count] = [start, 0];
        for (let i = Math.max(v, 0); i < last; i++) {
          for (let j = Math.max(u, 0); j < right; j++, count++) {
            sum = join(sum, input.values[(i * width + j) * channels + c]);
          }
        }
        values[at++] = end(sum, count);
      }
    }
  }
}
