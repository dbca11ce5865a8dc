// The network of the detector, run here: digits/page/detector.py writes it, and
// digits/reading/detector/network.py says what it sees.
//
// Maps lie as Keras has them, (height, width, channels), with zeros all around, so that a
// convolution has no edges; and all in the kernel's memory, where one that nobody needs any more
// makes room for the next of its shape.

import { addProducts, memory } from "./kernel.js";
import { before } from "./network.js";

const TOGETHER = 8; // filters that the kernel takes
const PIXELS = 4;
const PAGE = 65_536; // bytes

/**
 * Read what Python wrote. Returns {settings, see}. see(sheet, height, width, progress) makes of a
 * picture's contrast, (height, width, 2), the maps {centre, ink} by name, each {values, height,
 * width, channels}; `progress` is told how much is done, 0 to 1.
 */
export function openDetector(buffer) {
  const [length, start] = new Uint32Array(buffer, 0, 2);
  const { layers, outputs, settings } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const convolutions = layers.filter(({ kernel }) => kernel);
  let at = start;
  const take = (Type, count) => {
    at += Type.BYTES_PER_ELEMENT * count;
    return new Type(buffer, at - Type.BYTES_PER_ELEMENT * count, count);
  };
  for (const layer of convolutions) {
    layer.filters = TOGETHER * Math.ceil(layer.kernel[3] / TOGETHER);
    [layer.scale, layer.bias] = [take(Float32Array, layer.kernel[3]), take(Float32Array, layer.kernel[3])];
  }
  for (const layer of convolutions) {
    const [rows, columns, channels, filters] = layer.kernel;
    keep(layer, take(Int8Array, rows * columns * channels * filters));
  }
  const border = Math.max(...convolutions.map(({ kernel, dilation }) => dilation * (kernel[0] >> 1)));
  const room = new Room(border);
  const see = (sheet, height, width, progress = () => {}) => {
    room.empty();
    const maps = run(layers, room, room.filled(sheet, height, width, 2), progress);
    const read = ([name, number]) => [name, room.read(maps[number], layers[number].kernel[3])];
    return Object.fromEntries(Object.entries(outputs).map(read));
  };
  return { settings, see };
}

/** Put weights and bias of a convolution where the kernel takes them from. */
function keep(layer, weights) {
  const { kernel: [rows, columns, channels, given], filters, scale, bias } = layer;
  const count = rows * columns * channels;
  layer.count = count;
  layer.weightsAt = place(4 * count * filters);
  layer.biasAt = place(4 * filters);
  layer.offsetsAt = place(4 * count);
  const values = floats(layer.weightsAt, count * filters);
  for (let k = 0, at = 0; k < count; k++) {
    for (let f = 0; f < given; f++, at++) {
      values[((f / TOGETHER) | 0) * count * TOGETHER + k * TOGETHER + (f % TOGETHER)] = scale[f] * weights[at];
    }
  }
  floats(layer.biasAt, given).set(bias);
}

// ------------------------------------------------------------------- memory

let used = 16; // bytes

/** Room for so many bytes, with zeros in it: where it begins. */
function place(bytes) {
  const at = used;
  used += Math.ceil(bytes / 16) * 16;
  const missing = used - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  new Uint8Array(memory.buffer, at, bytes).fill(0);
  return at;
}

const floats = (at, count) => new Float32Array(memory.buffer, at, count);

/** Where the maps lie: {at, height, width, channels}, `at` being that of the first pixel, in bytes. */
class Room {
  constructor(border) {
    this.border = border;
    this.start = used;
  }

  empty() {
    used = this.start;
    this.free = new Map();
  }

  map(height, width, channels) {
    const key = [height, width, channels].join();
    const free = this.free.get(key)?.pop();
    if (free) return free;
    const row = 4 * channels * (width + 2 * this.border);
    const start = place(row * (height + 2 * this.border));
    return { key, at: start + this.border * (row + 4 * channels), height, width, channels, row };
  }

  release(map) {
    this.free.set(map.key, [...(this.free.get(map.key) ?? []), map]);
  }

  filled(values, height, width, channels) {
    const map = this.map(height, width, channels);
    for (let y = 0; y < height; y++) rowOf(map, y).set(values.subarray(y * width * channels, (y + 1) * width * channels));
    return map;
  }

  /** The first `channels` of a map, without what is around it. */
  read(map, channels) {
    const { height, width } = map;
    const values = new Float32Array(height * width * channels);
    for (let y = 0, to = 0; y < height; y++) {
      const row = rowOf(map, y);
      for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) values[to++] = row[x * map.channels + c];
    }
    return { values, height, width, channels };
  }
}

const rowOf = ({ at, row, width, channels }, y) => floats(at + y * row, width * channels);

// ------------------------------------------------------------------- layers

function run(layers, room, image, progress) {
  const users = layers.map((_, number) => layers.filter(({ inputs }) => inputs.includes(number)).length);
  const shapes = [];
  for (const { type, inputs, strides, filters } of layers) {
    const { height, width, channels } = shapes[inputs[0]] ?? image;
    const factor = { Conv2D: 1 / strides, MaxPooling2D: 0.5, UpSampling2D: 2 }[type] ?? 1;
    shapes.push({ height: height * factor, width: width * factor, channels: filters ?? channels });
  }
  const products = shapes.map(({ height, width, channels }, i) => (layers[i].count ?? 0) * channels * height * width);
  const whole = products.reduce((a, b) => a + b);
  const maps = [];
  let done = 0;
  for (const [number, layer] of layers.entries()) {
    const { height, width, channels } = shapes[number];
    maps[number] = room.map(height, width, channels);
    LAYERS[layer.type](maps[number], layer.inputs.map((input) => maps[input] ?? image), layer);
    for (const input of layer.inputs) if (input >= 0 && --users[input] === 0) room.release(maps[input]);
    progress((done += products[number]) / whole);
  }
  return maps;
}

const LAYERS = {
  Conv2D(output, [input], { kernel: [rows, columns, channels], strides, dilation, relu, count, filters, weightsAt, biasAt, offsetsAt }) {
    const reach = [rows, columns].map((side) => (side - 1) * dilation + 1);
    const [top, left] = before("same", [input.height, input.width], reach, [strides, strides]);
    const offsets = new Int32Array(memory.buffer, offsetsAt, count);
    for (let row = 0, k = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const offset = (row * dilation - top) * input.row + 4 * (column * dilation - left) * channels;
        for (let c = 0; c < channels; c++) offsets[k++] = offset + 4 * c;
      }
    }
    const [end, least] = [offsetsAt + 4 * count, relu ? 0 : -Infinity];
    const [stepIn, stepOut] = [4 * strides * input.channels, 4 * filters];
    for (let y = 0; y < output.height; y++) {
      for (let f = 0; f < filters; f += TOGETHER) {
        let [from, to] = [input.at + y * strides * input.row, output.at + y * output.row + 4 * f];
        const [weights, bias] = [weightsAt + 4 * count * f, biasAt + 4 * f];
        let rest = output.width;
        for (; rest >= PIXELS; rest -= PIXELS, from += PIXELS * stepIn, to += PIXELS * stepOut) {
          addProducts(from, offsetsAt, end, weights, bias, to, stepIn, stepOut, least);
        }
        for (; rest > 0; rest--, from += stepIn, to += stepOut) { // four times the same
          addProducts(from, offsetsAt, end, weights, bias, to, 0, 0, least);
        }
      }
    }
  },

  MaxPooling2D(output, [input]) {
    const { channels } = output;
    for (let y = 0; y < output.height; y++) {
      const [one, two, to] = [rowOf(input, 2 * y), rowOf(input, 2 * y + 1), rowOf(output, y)];
      for (let x = 0, at = 0, i = 0; x < output.width; x++, i += channels) {
        for (let c = 0; c < channels; c++, i++, at++) {
          const a = one[i] > two[i] ? one[i] : two[i];
          const b = one[i + channels] > two[i + channels] ? one[i + channels] : two[i + channels];
          to[at] = a > b ? a : b;
        }
      }
    }
  },

  UpSampling2D(output, [input]) {
    const { channels } = output;
    for (let y = 0; y < output.height; y++) {
      const [from, to] = [rowOf(input, y >> 1), rowOf(output, y)];
      for (let x = 0, at = 0; x < output.width; x++) {
        for (let c = 0, i = (x >> 1) * channels; c < channels; c++) to[at++] = from[i++];
      }
    }
  },

  Add(output, [one, other]) {
    for (let y = 0; y < output.height; y++) {
      const [a, b, to] = [rowOf(one, y), rowOf(other, y), rowOf(output, y)];
      for (let i = 0; i < to.length; i++) to[i] = a[i] + b[i];
    }
  },
};
