// What is done to images, {values, width, height}, as OpenCV does it: sizes, blur, neighbours.

/** Round as Python does: a half to the even number. */
export function rounded(value) {
  const whole = Math.round(value);
  return whole - value === 0.5 && whole % 2 ? whole - 1 : whole;
}

/** An image of another size: the mean of the area that each pixel covers, or else linear. */
export function resized(image, width, height) {
  const shrinks = width < image.width || height < image.height;
  const [across, down] = [partsOf(image.width, width, shrinks), partsOf(image.height, height, shrinks)];
  const whole = image.values instanceof Uint8Array;
  if (whole && !shrinks) return { values: enlarged(image, across, down), width, height };
  const narrow = new Float32Array(width * image.height);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = across.first[x], w = across.start[x]; w < across.start[x + 1]; i++, w++) {
        sum += across.weights[w] * image.values[y * image.width + i];
      }
      narrow[y * width + x] = sum;
    }
  }
  const values = new image.values.constructor(width * height);
  const row = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (let i = down.first[y], w = down.start[y]; w < down.start[y + 1]; i++, w++) {
      for (let x = 0, from = i * width; x < width; x++) row[x] += down.weights[w] * narrow[from + x];
    }
    for (let x = 0; x < width; x++) values[y * width + x] = whole ? rounded(row[x]) : row[x];
  }
  return { values, width, height };
}

/** The same in whole numbers, which OpenCV's rounding of grey values goes by. */
function enlarged({ values, width }, across, down) {
  const result = new Uint8Array(across.first.length * down.first.length);
  const [u, v] = [across, down].map(({ weights }) => weights.map((weight) => Math.round(2048 * weight)));
  const sum = ({ first, start }, i, value) => {
    let total = 0;
    for (let w = start[i], at = first[i]; w < start[i + 1]; w++, at++) total += value(w, at);
    return total;
  };
  let to = 0;
  for (let y = 0; y < down.first.length; y++) {
    for (let x = 0; x < across.first.length; x++) {
      const row = (at) => sum(across, x, (w, i) => u[w] * values[at * width + i]);
      result[to++] = (sum(down, y, (w, at) => (v[w] * (row(at) >> 4)) >> 16) + 2) >> 2;
    }
  }
  return result;
}

/** For each place of a line the first of those that make it up, and how much each of them gives. */
function partsOf(from, to, shrinks) {
  const [first, start, weights] = [new Int32Array(to), new Int32Array(to + 1), []];
  for (let i = 0; i < to; i++) {
    if (shrinks) {
      const [low, high] = [(i * from) / to, Math.min(from, ((i + 1) * from) / to)];
      first[i] = Math.floor(low + 1e-9);
      for (let at = first[i]; at < high - 1e-9; at++) {
        weights.push((Math.min(high, at + 1) - Math.max(low, at)) / (high - low));
      }
    } else {
      const middle = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
      first[i] = Math.floor(middle);
      weights.push(1 - middle + first[i]);
      if (first[i] < from - 1) weights.push(middle - first[i]);
    }
    start[i + 1] = weights.length;
  }
  return { first, start, weights };
}

/** The mean of the square around each pixel; beyond the edge the image is reflected. */
export function blurred({ values, width, height }, side) {
  const across = new Float32Array(values.length);
  for (let y = 0; y < height; y++) meanAlong(values, across, y * width, 1, width, side);
  return { values: meansDown(across, width, height, side), width, height };
}

const reflected = (at, length) => {
  while (at < 0 || at >= length) at = at < 0 ? -at - 1 : 2 * length - at - 1;
  return at;
};

function meanAlong(from, to, start, step, length, side) {
  const half = side >> 1;
  let sum = 0;
  for (let i = -half; i <= half; i++) sum += from[start + step * reflected(i, length)];
  for (let i = 0; i < length; i++) {
    to[start + step * i] = sum / side;
    sum += from[start + step * reflected(i + half + 1, length)] - from[start + step * reflected(i - half, length)];
  }
}

/** The same down all columns, row by row, as memory likes it. */
function meansDown(from, width, height, side) {
  const [half, sums, to] = [side >> 1, new Float64Array(width), new Float32Array(from.length)];
  const add = (y, sign) => {
    for (let x = 0, at = reflected(y, height) * width; x < width; x++) sums[x] += sign * from[at + x];
  };
  for (let y = -half; y <= half; y++) add(y, 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) to[y * width + x] = sums[x] / side;
    add(y + half + 1, 1);
    add(y - half, -1);
  }
  return to;
}

/** The largest, or else the smallest, of the eight around each pixel, and with `own` of itself. */
export function extremes({ values, width, height }, larger, own = true) {
  const result = new values.constructor(values.length);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - 1), Math.min(height - 1, y + 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
      let best = larger ? -Infinity : Infinity;
      for (let v = top; v <= bottom; v++) {
        for (let u = left; u <= right; u++) {
          const value = values[v * width + u];
          if ((larger ? value > best : value < best) && (own || v !== y || u !== x)) best = value;
        }
      }
      result[y * width + x] = best;
    }
  }
  return { values: result, width, height };
}

/** {left, top, right, bottom} around all that is set; null if nothing is. */
export function boundingBox({ values, width, height }) {
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!values[i]) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = y + 1;
    }
  }
  return box.right ? box : null;
}

/** {left, top, right, bottom} around each region whose set pixels hang together, corners included. */
export function components({ values, width, height }) {
  const [left, boxes] = [values.slice(), []];
  left.forEach((value, start) => {
    if (!value || !left[start]) return;
    const box = { left: width, top: height, right: 0, bottom: 0 };
    const waiting = [start];
    left[start] = 0;
    while (waiting.length) {
      const at = waiting.pop();
      const [x, y] = [at % width, Math.floor(at / width)];
      Object.assign(box, { left: Math.min(box.left, x), top: Math.min(box.top, y) });
      Object.assign(box, { right: Math.max(box.right, x + 1), bottom: Math.max(box.bottom, y + 1) });
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          if (!left[v * width + u]) continue;
          left[v * width + u] = 0;
          waiting.push(v * width + u);
        }
      }
    }
    boxes.push(box);
  });
  return boxes;
}

/** 1 where an image, of 32-bit floats, is more than `least`, and else 0. */
export const above = (image, least) => ({ ...image, values: image.values.map((value) => value > Math.fround(least)) });

/** The part of an image inside a box. */
export function cropped({ values, width }, { left, top, right, bottom }) {
  const part = new values.constructor((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++) {
    part.set(values.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  }
  return { values: part, width: right - left, height: bottom - top };
}

/** The value below which a part of them lies, linear between two; 0.5 is the median. */
export function quantile(values, part) {
  const sorted = Float64Array.from(values).sort();
  const at = part * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}
