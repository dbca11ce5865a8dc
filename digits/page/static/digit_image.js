// From the strokes of a digit to 28x28 pixels, as MNIST's are: digits/data/normalization.py does
// the same to ink, and tests hold the two together.
//
// Scaled to fit 20x20, with its aspect ratio kept, and placed with its centre of mass in the
// middle. A stroke that would be thinner or thicker than MNIST's becomes as those are.

const SIDE = 28; // pixels
const FIT = 20;
const STROKE_WIDTH = [2, 3.4]; // pixels of 28x28: the thinnest and thickest that stay as they are
const BENDS = 4; // line segments for one curve of a stroke

const smoothed = new WeakMap(); // strokes that were smoothed before: they never change

/** The points that are drawn of a stroke: curves from middle to middle of those that were noted. */
export function smooth(stroke) {
  if (!smoothed.has(stroke)) smoothed.set(stroke, stroke.length < 3 ? stroke : curves(stroke));
  return smoothed.get(stroke);
}

function curves(stroke) {
  const points = [stroke[0]];
  for (let i = 1; i < stroke.length; i++) {
    const [from, by] = [points.at(-1), stroke[i - 1]];
    const to = i === stroke.length - 1 ? stroke[i] : between(by, stroke[i], 0.5);
    const bends = Math.hypot(to.x - from.x, to.y - from.y) > 4 * BENDS ? BENDS : 1;
    for (let n = 1; n <= bends; n++) {
      const t = n / bends;
      points.push(between(between(from, by, t), between(by, to, t), t));
    }
  }
  return points;
}

const between = (a, b, t) => ({
  x: a.x + t * (b.x - a.x),
  y: a.y + t * (b.y - a.y),
  width: a.width + t * (b.width - a.width),
});

/** The rectangle around lines of points with their width: {left, top, right, bottom}. */
export function boundsOf(lines, margin = 0) {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const line of lines) {
    for (const { x, y, width } of line) {
      const reach = width / 2 + margin;
      bounds.left = Math.min(bounds.left, x - reach);
      bounds.top = Math.min(bounds.top, y - reach);
      bounds.right = Math.max(bounds.right, x + reach);
      bounds.bottom = Math.max(bounds.bottom, y + reach);
    }
  }
  return bounds;
}

/** Lines of points -> 784 grey values, ink 255 on 0. */
export function digitImage(lines) {
  const before = FIT / longest(boundsOf(lines));
  const width = meanWidth(lines) * before;
  const grow = (Math.min(Math.max(width, STROKE_WIDTH[0]), STROKE_WIDTH[1]) - width) / before;
  const bounds = boundsOf(lines, grow / 2);
  const scale = FIT / longest(bounds);
  const [across, down] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const size = [across, down].map((side) => Math.max(1, Math.round(side * scale)));
  const toPixels = ({ x, y, width }) => ({
    x: ((x - bounds.left) * size[0]) / across,
    y: ((y - bounds.top) * size[1]) / down,
    width: (width + grow) * scale,
  });
  const ink = new Float32Array(size[0] * size[1]);
  for (const line of lines) draw(ink, size, line.map(toPixels));
  return centred(ink, size);
}

const longest = ({ left, top, right, bottom }) => Math.max(right - left, bottom - top, 1e-6);

/** The mean width along lines; that of a dot is its own. */
function meanWidth(lines) {
  let [sum, length] = [0, 0];
  for (const line of lines) {
    line.forEach((to, i) => {
      const from = line[Math.max(0, i - 1)];
      const step = Math.hypot(to.x - from.x, to.y - from.y) + 1e-6;
      sum += (step * (from.width + to.width)) / 2;
      length += step;
    });
  }
  return sum / length;
}

/** How far a point is from the line between two others. */
export function distanceTo(point, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const [a, b] = [point.x - from.x, point.y - from.y];
  const t = Math.min(1, Math.max(0, (a * dx + b * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(a - t * dx, b - t * dy);
}

/** Draw a line of points, in pixels, into `ink`, 0 to 1: each pixel as much as the line covers of it. */
export function draw(ink, [width, height], points) {
  points.forEach((to, i) => {
    const from = points[Math.max(0, i - 1)];
    const radius = (from.width + to.width) / 4;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const squared = dx * dx + dy * dy || 1;
    const reach = radius + 1;
    const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
    const right = Math.min(width - 1, Math.ceil(Math.max(from.x, to.x) + reach));
    const bottom = Math.min(height - 1, Math.ceil(Math.max(from.y, to.y) + reach));
    for (let y = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach)); y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const [a, b] = [x + 0.5 - from.x, y + 0.5 - from.y];
        const t = Math.min(1, Math.max(0, (a * dx + b * dy) / squared));
        const distance = Math.hypot(a - t * dx, b - t * dy);
        const cover = Math.min(1, Math.max(0, radius + 0.5 - distance));
        if (cover > ink[y * width + x]) ink[y * width + x] = cover;
      }
    }
  });
}

/** Ink, 0 to 1, with its centre of mass in the middle of 28x28: 784 grey values. */
export function centred(ink, [width, height], round = Math.round) {
  let [mass, x, y] = [0, 0, 0];
  ink.forEach((value, i) => {
    mass += value;
    x += value * (i % width);
    y += value * Math.floor(i / width);
  });
  const corner = (centre, size) => Math.min(SIDE - size, Math.max(0, round((SIDE - 1) / 2 - centre / mass)));
  const [left, top] = [corner(x, width), corner(y, height)];
  const image = new Uint8Array(SIDE * SIDE);
  ink.forEach((value, i) => {
    image[(top + Math.floor(i / width)) * SIDE + left + (i % width)] = round(255 * value);
  });
  return image;
}
