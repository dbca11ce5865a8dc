// The field: pens, fingers and the eraser on it, and what is painted there.
//
// Strokes lie on a plane whose origin is the middle of the field. The field shows a part of
// about 400,000 square units of it; turned or made smaller, it shows more where strokes would
// be cut off otherwise. A screen's pixels matter only while it is painted.

import { boundsOf, distanceTo, draw, smooth } from "./digit_image.js";
import { store, watchStore } from "./store.js";

const AREA = 400_000;
const MARGIN = 48; // around strokes that are kept, as around digits on paper
const DRAG = 6; // pixels that a pointer moves on a picture or a digit before it is a stroke
const PALM = 10_000; // ms: so long after a pen, a finger is a palm

const paper = document.getElementById("paper");

let on; // what page.js does at a stroke, a move, an erasure, a tap
let view = { left: -400, top: -250, width: 800, height: 500 };
let shown = { strokes: [], picture: null };
let current = null; // what a pointer does now: {id, type, points, erasing, fresh, from}
let penSeen = -PALM; // when

export const tool = { width: 16, erasing: false };

export function start(handlers) {
  on = handlers;
  new ResizeObserver(() => {
    layOut();
    paint();
  }).observe(paper);
}

// ----------------------------------------------------------------- pointers

function place(event) {
  const box = paper.getBoundingClientRect();
  const pressure = event.pointerType === "pen" && event.pressure ? 0.4 + 1.2 * event.pressure : 1;
  const round = (value) => Math.round(10 * value) / 10;
  const share = (at, start, length) => Math.min(1, Math.max(0, (at - start) / length)); // on the field
  return {
    x: round(view.left + share(event.clientX, box.left, box.width) * view.width),
    y: round(view.top + share(event.clientY, box.top, box.height) * view.height),
    width: round(tool.width * pressure),
  };
}

for (const kind of ["pointerdown", "pointermove", "pointerup"]) {
  paper.addEventListener(kind, ({ pointerType, timeStamp }) => {
    if (pointerType === "pen") penSeen = timeStamp;
  });
}

paper.addEventListener("pointerdown", (event) => {
  const eraserEnd = event.button === 5; // of a pen
  if (event.button !== 0 && !eraserEnd) return;
  if (event.pointerType === "touch") {
    if (event.timeStamp - penSeen < PALM) return;
    if (!event.isPrimary) return cancel(); // a second finger: people zoom or scroll
  }
  if (current && current.type !== "touch") return;
  cancel(); // a palm that came before its pen
  event.preventDefault();
  paper.setPointerCapture(event.pointerId);
  current = {
    id: event.pointerId,
    type: event.pointerType,
    points: [place(event)],
    from: event,
    erasing: (tool.erasing || eraserEnd) && !shown.picture,
    left: shown.picture ? [] : shown.strokes, // on a picture, a stroke begins on new paper
  };
  // A click chooses a digit; on new paper, too, a stroke is more than a click.
  current.fresh = Boolean(shown.picture) || (!current.erasing && !store.stale && digitAt(current.points[0]) >= 0);
  if (!current.fresh) begin();
});

function begin() {
  if (current.erasing) erase(current.points[0]);
  else on.begin();
  repaint();
}

paper.addEventListener("pointermove", (event) => {
  if (current?.id !== event.pointerId) return;
  const events = event.getCoalescedEvents?.() ?? [];
  const places = (events.length ? events : [event]).map(place);
  current.points.push(...places);
  if (current.fresh) {
    const { clientX, clientY } = current.from;
    if (Math.hypot(event.clientX - clientX, event.clientY - clientY) < DRAG) return;
    current.fresh = false;
    begin();
  }
  if (current.erasing) places.forEach(erase);
  else on.move([...current.left, current.points]);
  repaint();
});

paper.addEventListener("pointerup", (event) => {
  if (current?.id !== event.pointerId) return;
  const { points, erasing, fresh, left } = current;
  current = null;
  if (fresh) on.tap(digitAt(points[0]));
  else if (!erasing) on.end([...left, points]);
  else if (left.length < shown.strokes.length) on.end(left);
  repaint();
});

// The system takes a finger away to zoom or scroll; what a pen or a mouse drew stays.
paper.addEventListener("pointercancel", (event) => {
  if (current?.id !== event.pointerId) return;
  if (current.type === "touch" || current.fresh) cancel();
  else paper.dispatchEvent(new PointerEvent("pointerup", { pointerId: event.pointerId }));
});

/** Forget what a pointer is doing. Tells whether it did anything. */
export function cancel() {
  if (!current) return false;
  current = null;
  on.cancel();
  repaint();
  return true;
}

function erase(at) {
  const reach = 10 + tool.width / 2;
  const touched = (stroke) => stroke.some((to, i) => distanceTo(at, stroke[Math.max(0, i - 1)], to) < reach + to.width / 2);
  current.left = current.left.filter((stroke) => !touched(stroke));
}

// ------------------------------------------------------------------ strokes

export function drawStroke(context, stroke) {
  context.lineCap = context.lineJoin = "round";
  let from = stroke[0];
  context.beginPath();
  context.arc(from.x, from.y, from.width / 2, 0, 7);
  context.fill();
  // Curves from middle to middle of neighbouring points make the corners smooth.
  for (let i = 1; i < stroke.length; i++) {
    const [last, next] = [stroke[i - 1], stroke[i]];
    const to = i === stroke.length - 1 ? next : { x: (last.x + next.x) / 2, y: (last.y + next.y) / 2 };
    context.lineWidth = (last.width + next.width) / 2;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.quadraticCurveTo(last.x, last.y, to.x, to.y);
    context.stroke();
    from = to;
  }
}

/**
 * Strokes as a picture file, black on white. A grey map is a line of text and the pixels; they are
 * drawn here, since some browsers falsify what a page reads from a canvas.
 */
export function strokesAsPicture(strokes) {
  const { left, top, right, bottom } = boundsOf(strokes, MARGIN);
  const scale = Math.min(1, Math.sqrt(AREA / ((right - left) * (bottom - top))));
  const size = [right - left, bottom - top].map((side) => Math.ceil(side * scale));
  const ink = new Float32Array(size[0] * size[1]);
  const toPixels = ({ x, y, width }) => ({ x: (x - left) * scale, y: (y - top) * scale, width: width * scale });
  for (const stroke of strokes) draw(ink, size, smooth(stroke).map(toPixels));
  const grey = Uint8Array.from(ink, (value) => Math.round(255 * (1 - value)));
  return new Blob([`P5 ${size.join(" ")} 255\n`, grey], { type: "image/x-portable-graymap" });
}

// ----------------------------------------------------------------- painting

/** Show these strokes or this picture from now on. */
export function show(what) {
  shown = what;
  layOut();
  repaint();
}

watchStore(repaint);

let waiting = false;

function repaint() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(paint);
}

function paint() {
  waiting = false;
  const [width, height] = [paper.clientWidth, paper.clientHeight];
  if (!width || !height) return;
  paper.width = Math.round(width * devicePixelRatio);
  paper.height = Math.round(height * devicePixelRatio);
  const context = paper.getContext("2d");
  const toScreen = width / view.width;
  on.scale(toScreen);
  const writing = current && !current.fresh;
  const picture = writing ? null : shown.picture;
  const answer = writing || store.stale || !store.final ? null : store.answer;
  const at = picture && onField(picture, answer);
  context.scale(paper.width / view.width, paper.height / view.height);
  context.translate(-view.left, -view.top);
  if (at && picture.image) context.drawImage(picture.image, at.x, at.y, at.width, at.height);
  context.fillStyle = context.strokeStyle = getComputedStyle(paper).color;
  const strokes = writing ? current.left : shown.strokes;
  for (const stroke of strokes) drawStroke(context, stroke);
  if (writing && !current.erasing) drawStroke(context, current.points);
  if (!answer) return;
  context.setTransform(paper.width / width, 0, 0, paper.height / height, 0, 0);
  const { x, y, scale } = at ?? answer.place;
  drawBoxes(context, (box) => [
    (x + box[0] * scale - view.left) * toScreen,
    (y + box[1] * scale - view.top) * toScreen,
    box[2] * scale * toScreen,
    box[3] * scale * toScreen,
  ]);
}

/** Choose the part of the plane that the field shows: around the middle, with all strokes in. */
function layOut() {
  if (paper.clientHeight) view = viewFor(paper.clientWidth / paper.clientHeight, on.all());
}

function viewFor(shape, strokes) {
  let width = Math.sqrt(AREA * shape);
  let height = width / shape;
  if (!strokes.length) return { left: -width / 2, top: -height / 2, width, height };
  const inside = boundsOf(strokes.map((stroke) => stroke.map((point) => ({ ...point, width: 0 }))));
  // What was written on this field may be cut off at its edge; on another, all of it is seen.
  const fits = inside.right - inside.left <= width + 1 && inside.bottom - inside.top <= height + 1;
  const { left, top, right, bottom } = fits ? inside : boundsOf(strokes, 16);
  const grow = Math.max(1, (right - left) / width, (bottom - top) / height);
  [width, height] = [width * grow, height * grow];
  const within = (low, high) => Math.min(low, Math.max(high, 0)); // as near the middle as it goes
  return {
    left: within(left + width / 2, right - width / 2) - width / 2,
    top: within(top + height / 2, bottom - height / 2) - height / 2,
    width,
    height,
  };
}

/** Where a picture lies on the plane: as large as fits, in the middle. */
function onField({ image }, answer) {
  const width = answer?.width ?? image?.naturalWidth ?? 0;
  const height = answer?.height ?? image?.naturalHeight ?? 0;
  const scale = Math.min(view.width / width, view.height / height);
  const [x, y] = [view.left + (view.width - width * scale) / 2, view.top + (view.height - height * scale) / 2];
  return { x, y, scale, width: width * scale, height: height * scale };
}

const isIn = (at, [x, y, width, height]) => at.x >= x && at.y >= y && at.x <= x + width && at.y <= y + height;

/** The number of the digit in whose box a point of the plane lies, or -1. */
function digitAt(point) {
  const { picture } = shown;
  const { answer } = store;
  if (!answer) return -1;
  const { x, y, scale } = picture ? onField(picture, answer) : answer.place;
  return answer.boxes.findIndex(({ box }) => isIn({ x: (point.x - x) / scale, y: (point.y - y) / scale }, box));
}

function drawBoxes(context, toScreen) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const { answer, chosen } = store;
  const { said = {} } = answer;
  const pad = 4;
  for (const { box, text } of [...(answer.unread ?? []), ...(answer.signs ?? [])]) {
    const [x, y, width, height] = toScreen(box);
    context.strokeStyle = color("--soft");
    context.lineWidth = 1.5;
    context.setLineDash(text ? [] : [2, 4]);
    context.strokeRect(x - pad, y - pad, width + 2 * pad, height + 2 * pad);
  }
  context.font = "700 14px system-ui, sans-serif";
  context.textBaseline = "middle";
  answer.boxes.forEach(({ box, digit, ...one }, i) => {
    const [x, y, width, height] = toScreen(box);
    const unsure = one.unsure && said[i] === undefined;
    const [left, top] = [x - pad, y - pad];
    context.strokeStyle = context.fillStyle = color(unsure ? "--doubt" : "--accent");
    context.lineWidth = i === chosen && answer.boxes.length > 1 ? 3 : 1.5;
    context.setLineDash(unsure ? [6, 4] : []);
    context.strokeRect(left, top, width + 2 * pad, height + 2 * pad);
    // A filled label above the box, or in its corner where there is no room above.
    const label = said[i] ?? (unsure ? `${digit}?` : String(digit));
    const wide = context.measureText(label).width + 8;
    const above = top > 18 ? top - 18 : top;
    context.fillRect(left - context.lineWidth / 2, above, wide, 18);
    context.fillStyle = color("--on-accent");
    context.fillText(label, left - context.lineWidth / 2 + 4, above + 9.5);
  });
}
