// Something to keep: a picture of the reading, or a short film of the answer while one writes.

import { boundsOf } from "./digit_image.js";
import { drawStroke } from "./drawing.js";
import { asText, percent } from "./showing.js";
import { store } from "./store.js";

const [WIDTH, HEIGHT] = [960, 640]; // pixels
const SECONDS = 5; // of writing
const REST = 1.5; // seconds of the last picture
const FILMS = ["video/mp4", "video/webm"];

function newCanvas() {
  return Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
}

/** Strokes, or a photo, with the answer above. */
function paint(canvas, strokes, image, answer, bounds) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const context = canvas.getContext("2d");
  context.resetTransform();
  context.fillStyle = color("--paper");
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = color("--ink");
  context.font = "650 72px system-ui, sans-serif";
  context.fillText(answer ? asText(answer).replaceAll("\n", " / ") : "", 40, 92, WIDTH - 80);
  context.font = "24px system-ui, sans-serif";
  context.fillStyle = color("--soft");
  context.fillText(answer?.digits && !answer.said ? `read by a small neural network, ${percent(answer.confidence)} sure` : "", 40, 134);
  const [left, top, width, height] = [40, 160, WIDTH - 80, HEIGHT - 200];
  if (image) {
    const scale = Math.min(width / image.naturalWidth, height / image.naturalHeight);
    const [across, down] = [image.naturalWidth * scale, image.naturalHeight * scale];
    context.drawImage(image, left + (width - across) / 2, top + (height - down) / 2, across, down);
    return;
  }
  const [across, down] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const scale = Math.min(1.5, width / across, height / down);
  context.translate(left + (width - across * scale) / 2, top + (height - down * scale) / 2);
  context.scale(scale, scale);
  context.translate(-bounds.left, -bounds.top);
  context.fillStyle = context.strokeStyle = color("--ink");
  strokes.forEach((stroke) => drawStroke(context, stroke));
}

function pictureOf(strokes, image) {
  const canvas = newCanvas();
  paint(canvas, strokes, image, store.answer, boundsOf(strokes, 8));
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

export async function savePicture(strokes, image) {
  download(await pictureOf(strokes, image), "number.png");
}

export function copyPicture(strokes, image) {
  return navigator.clipboard.write([new ClipboardItem({ "image/png": pictureOf(strokes, image) })]);
}

/** Write it all once more, as fast as takes SECONDS, and record what `read` says meanwhile. */
export async function saveFilm(strokes, image, read) {
  const type = FILMS.find((one) => MediaRecorder.isTypeSupported(one));
  const canvas = newCanvas();
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: type });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((done) => (recorder.onstop = done));
  const bounds = boundsOf(strokes, 8);
  const points = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  let [answer, reading] = [null, false];
  recorder.start();
  const start = performance.now();
  for (let share = 0; share < 1; ) {
    share = image ? 1 : Math.min(1, (performance.now() - start) / 1000 / SECONDS);
    const written = upTo(strokes, Math.ceil(share * points));
    if (!image && !reading && written.length) {
      reading = true;
      read(written).then((read) => (answer = read)).catch(() => {}).finally(() => (reading = false));
    }
    paint(canvas, written, image, answer, bounds);
    await new Promise(requestAnimationFrame);
  }
  for (const end = performance.now() + 1000 * REST; performance.now() < end; ) {
    paint(canvas, strokes, image, store.answer, bounds);
    await new Promise(requestAnimationFrame);
  }
  recorder.stop();
  await ended;
  download(new Blob(parts, { type }), `number.${type.split("/")[1]}`);
}

function upTo(strokes, count) {
  const written = [];
  for (const stroke of strokes) {
    if (count > 0) written.push(count < stroke.length ? stroke.slice(0, count) : stroke);
    count -= stroke.length;
  }
  return written;
}

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
