// How the network is painted. Blue is above zero, orange below, and only what is 0 is dark.

const [OFF, LINE, SOFT] = [[24, 30, 38], "#2b3541", "#a9b6c4"];
const [FOR, AGAINST] = ["#6eb9ff", "#ff9d3c"];
// The colours of what is nearly 0, of a third of the most, and of the most of a layer.
const RAMPS = { for: [[40, 72, 112], [74, 158, 240], [236, 246, 255]], against: [[104, 62, 26], [240, 142, 46], [255, 240, 220]] };

function mix(share) {
  if (share === 0) return OFF;
  const [low, middle, high] = share > 0 ? RAMPS.for : RAMPS.against;
  const t = 2 * (Math.sqrt(Math.abs(share)) * 0.87 + Math.abs(share) * 0.13);
  const [from, to, part] = t < 1 ? [low, middle, t] : [middle, high, t - 1];
  return from.map((value, i) => Math.round(value + part * (to[i] - value)));
}

const STEPS = 256;
const COLORS = Uint32Array.from({ length: 2 * STEPS + 1 }, (_, i) => {
  const [red, green, blue] = mix(i / STEPS - 1);
  return 255 * 2 ** 24 + blue * 2 ** 16 + green * 2 ** 8 + red;
});

/** The pixel of a value, in shares of the largest of its layer: however small, it is not that of 0. */
export const shade = (share) => COLORS[STEPS + Math.sign(share) * Math.ceil(STEPS * Math.abs(share))];

export const mostOf = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);

/** A context to paint anew on a canvas, in pixels of the page. */
export function contextOf(canvas) {
  canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
  canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
  const context = canvas.getContext("2d");
  context.scale(devicePixelRatio, devicePixelRatio);
  context.imageSmoothingEnabled = false;
  return context;
}

/** Maps {x, y, size, number} of a layer, one colour scale for all. */
export function drawMaps(context, maps, { values, shape: [height, width, count] }, most = mostOf(values)) {
  if (!maps.length) return;
  const image = new ImageData(width * maps.length, height);
  const pixels = new Uint32Array(image.data.buffer);
  maps.forEach(({ number }, n) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        pixels[y * image.width + n * width + x] = shade(values[(y * width + x) * count + number] / most);
      }
    }
  });
  const small = Object.assign(document.createElement("canvas"), { width: image.width, height });
  small.getContext("2d").putImageData(image, 0, 0);
  maps.forEach(({ x, y, size }, n) => context.drawImage(small, n * width, 0, width, height, x, y, size, size));
}

/** A frame around some cells of a square map that has height x width of them. */
export function frame(context, { x, y, size }, [height, width], { top, left, rows, columns }, color) {
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.strokeRect(x + (left * size) / width, y + (top * size) / height, (columns * size) / width, (rows * size) / height);
}

/** The whole network: lines {from, to, part}, the image, the maps of each stage, the bars. */
export function drawNetwork(context, plan, image, probabilities, digit, lines) {
  lines.forEach((line) => drawLine(context, line));
  drawMaps(context, [plan.image], image);
  context.font = "0.75rem system-ui, sans-serif";
  context.fillStyle = SOFT;
  for (const { stage, maps, x, width: widest } of plan.columns) {
    const [height, width] = stage.layer.shape;
    drawMaps(context, maps, stage.layer);
    context.fillText(`${maps.length} maps ${height}×${width}`, x, plan.foot + 20, widest + 16);
  }
  context.textBaseline = "middle";
  plan.bars.forEach(({ x, y, width, height }, d) => {
    context.font = `600 ${Math.min(14, height)}px system-ui, sans-serif`;
    context.fillStyle = LINE;
    context.fillRect(x + 16, y + 0.2 * height, width - 16, 0.6 * height);
    context.fillStyle = d === digit ? FOR : SOFT;
    context.fillRect(x + 16, y + 0.2 * height, (width - 16) * probabilities[d], 0.6 * height);
    context.fillText(d, x, y + height / 2 + 1);
  });
}

function drawLine(context, { from, to, part }) {
  const [x, y, toX, toY] = [from.x + from.size, from.y + from.size / 2, to.x, to.y + (to.size ?? to.height) / 2];
  context.strokeStyle = part >= 0 ? FOR : AGAINST;
  context.globalAlpha = 0.55;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, y);
  context.bezierCurveTo(x + (toX - x) / 2, y, x + (toX - x) / 2, toY, toX, toY);
  context.stroke();
  context.globalAlpha = 1;
}
