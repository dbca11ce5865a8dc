// Where everything of the network lies: the image, the maps of each stage in columns, ten bars.

const [EDGE, GAP, LABEL] = [10, 26, 30]; // pixels: at the sides, at least between columns, under the maps
const [NARROWEST, LARGEST] = [80, 64]; // pixels of a column, for its label, and of a map
const smallest = ({ shape }) => Math.min(Math.max(1.6 * shape[0], 10), 24); // pixels of a map

/** As large as fits into `width`; where even the smallest maps do not fit, the plan is wider. */
export function layOut(stages, width, height) {
  const room = height - LABEL - EDGE;
  const side = Math.min(room, 40 + 0.1 * width, 200);
  const most = Math.min(Math.max(72, 0.13 * width), 160);
  const share = (width - 2 * EDGE - side - most - GAP * (stages.length + 1)) / stages.length;
  const grids = stages.map(({ layer }) => gridOf(layer.shape[2], Math.max(NARROWEST, share), room, smallest(layer)));
  const widths = [side, ...grids.map(({ step, across }) => Math.max(NARROWEST, step * across))];
  const free = widths.reduce((left, one) => left - one, width - 2 * EDGE) - GAP * widths.length;
  const bars = Math.max(60, Math.min(most, free));
  const gap = GAP + Math.max(0, free - bars) / widths.length;
  const lefts = [EDGE];
  for (const one of widths) lefts.push(lefts.at(-1) + one + gap);
  const top = (part) => EDGE + (room - part) / 2;
  const columns = stages.map((stage, i) => {
    const { step, across } = grids[i];
    const [x, count, size] = [lefts[i + 1], stage.layer.shape[2], step - Math.min(4, step / 8)];
    const y = top(step * Math.ceil(count / across));
    const place = (_, n) => ({ x: x + (n % across) * step, y: y + Math.floor(n / across) * step, size, number: n });
    return { stage, x, width: widths[i + 1], maps: Array.from({ length: count }, place) };
  });
  const high = Math.min(room / 10, 34);
  const barAt = (_, digit) => ({ x: lefts.at(-1), y: top(10 * high) + digit * high, width: bars, height: high });
  return {
    width: Math.max(width, lefts.at(-1) + bars + EDGE),
    image: { x: EDGE, y: top(side), size: side, number: 0 },
    columns,
    bars: Array.from({ length: 10 }, barAt),
    foot: EDGE + room,
  };
}

/** Squares as large as fit into a rectangle, or in more columns where those would be too small. */
function gridOf(count, width, height, least) {
  let best = { step: least, across: Math.ceil(count / Math.max(1, Math.floor(height / least))) };
  for (let across = 1; across <= count; across++) {
    const step = Math.min(width / across, height / Math.ceil(count / across), LARGEST);
    if (step > best.step) best = { step, across };
  }
  return best;
}
