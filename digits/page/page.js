"use strict";

// The page keeps strokes (or one picture), draws them, sends them to /read as a picture, and
// shows the answer. Lengths are in units of the field, which is 800 wide and 500 high at any
// size of the window.

const WIDTH = 800;
const HEIGHT = 500;

const $ = (id) => document.getElementById(id);
const paper = $("paper");
const style = getComputedStyle(document.documentElement);

let strokes = []; // each a list of {x, y, width}
let drawing = new Map(); // pointer id -> the stroke being drawn
let picture = null; // {file, bitmap}: read in place of the strokes
let answer = null; // what the server said about what is on the field now
let asked = 0; // number of the last question; answers to older ones are dropped

// ------------------------------------------------------------------ drawing

function point(event) {
  const box = paper.getBoundingClientRect();
  const pressure = event.pointerType === "pen" && event.pressure ? 0.4 + 1.2 * event.pressure : 1;
  return {
    x: ((event.clientX - box.left) / box.width) * WIDTH,
    y: ((event.clientY - box.top) / box.height) * HEIGHT,
    width: Number($("width").value) * pressure,
  };
}

paper.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  paper.setPointerCapture(event.pointerId);
  if (picture) clear();
  answer = null;
  const stroke = [point(event)];
  strokes.push(stroke);
  drawing.set(event.pointerId, stroke);
  draw();
});

paper.addEventListener("pointermove", (event) => {
  const stroke = drawing.get(event.pointerId);
  if (!stroke) return;
  const events = event.getCoalescedEvents?.() ?? [];
  stroke.push(...(events.length ? events : [event]).map(point));
  draw();
});

for (const end of ["pointerup", "pointercancel"]) {
  paper.addEventListener(end, (event) => {
    if (drawing.delete(event.pointerId)) read();
  });
}

function drawStroke(context, stroke) {
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

/** Draw what is on the field, and boxes around what was read. */
function draw() {
  const scale = (paper.clientWidth * devicePixelRatio) / WIDTH;
  paper.width = Math.round(WIDTH * scale);
  paper.height = Math.round(HEIGHT * scale);
  const context = paper.getContext("2d");
  context.scale(scale, scale);
  if (picture?.bitmap) {
    const place = placeOf(picture.bitmap.width, picture.bitmap.height);
    context.drawImage(picture.bitmap, place.x, place.y, place.width, place.height);
  }
  context.strokeStyle = context.fillStyle = style.getPropertyValue("--ink");
  for (const stroke of strokes) drawStroke(context, stroke);
  if (answer) drawBoxes(context);
  const empty = !strokes.length && !picture;
  $("hint").hidden = !empty;
  $("undo").disabled = $("clear").disabled = empty;
}

/** Where a picture of that size lies on the field: as large as fits, in the middle. */
function placeOf(width, height) {
  const scale = Math.min(WIDTH / width, HEIGHT / height);
  const [x, y] = [(WIDTH - width * scale) / 2, (HEIGHT - height * scale) / 2];
  return { x, y, scale, width: width * scale, height: height * scale };
}

function drawBoxes(context) {
  const place = placeOf(answer.width, answer.height);
  context.font = "600 18px system-ui, sans-serif";
  context.lineWidth = 2;
  for (const { box, digit, confidence } of answer.boxes) {
    const color = style.getPropertyValue(confidence < 0.9 ? "--unsure" : "--sure");
    const [x, y, width, height] = box.map((length) => length * place.scale);
    const [left, top] = [place.x + x - 6, place.y + y - 6];
    context.strokeStyle = context.fillStyle = color;
    context.strokeRect(left, top, width + 12, height + 12);
    const above = top > 24;
    context.fillText(digit, left, above ? top - 5 : top + height + 30);
  }
}

// ------------------------------------------------------------------ reading

/**
 * The strokes as a picture, black on white whatever the colours of the page. A grey map is
 * a line of text and the pixels; a browser may take a third of a second to make a PNG.
 */
function strokesAsPicture() {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.strokeStyle = context.fillStyle = "#000";
  for (const stroke of strokes) drawStroke(context, stroke);
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  const grey = new Uint8Array(WIDTH * HEIGHT).map((_, i) => data[4 * i]);
  return new Blob([`P5 ${WIDTH} ${HEIGHT} 255\n`, grey], { type: "image/x-portable-graymap" });
}

async function read() {
  const number = ++asked;
  if (!strokes.length && !picture) return show(null);
  const started = performance.now();
  try {
    const body = picture ? picture.file : strokesAsPicture();
    const type = body.type.startsWith("image/") ? body.type : "application/octet-stream";
    const response = await fetch("read", {
      method: "POST",
      body,
      headers: { "Content-Type": type },
    });
    const result = await response.json();
    if (number !== asked) return; // there is more on the field by now
    trouble(response.ok ? "" : result.error);
    show(response.ok ? result : null);
    performance.measure("read", { start: started });
  } catch {
    if (number === asked) lost();
  }
}

/** Show what was read; null for nothing. */
function show(result) {
  answer = result;
  draw();
  const found = result?.boxes ?? [];
  const percent = (share) => `${(100 * share).toFixed(share > 0.995 ? 1 : 0)} %`;
  $("number").textContent = result?.digits ?? "";
  $("number").classList.toggle("long", found.length > 10);
  let remark = "What the network reads appears here.";
  if (result?.error) remark = result.error;
  else if (result) remark = `${percent(result.confidence)} sure${result.unsure ? ", so look twice" : ""}`;
  $("remark").textContent = remark;
  document.body.classList.toggle("unsure", Boolean(result?.unsure && !result.error));
  const spoken = found.length ? `${result.digits.split("").join(" ")}, ${result.unsure ? "unsure, " : ""}${remark}` : remark;
  $("spoken").textContent = result ? spoken : "empty";
  $("digits").replaceChildren(...found.map(card));

  function card({ digit, confidence, probabilities, seen }) {
    const item = document.createElement("li");
    item.classList.toggle("doubtful", confidence < 0.9);
    item.innerHTML = "<header><canvas width='28' height='28'></canvas><div><strong></strong><small></small></div></header><div class='bars' role='img'></div>";
    item.querySelector("strong").textContent = digit;
    item.querySelector("small").textContent = percent(confidence);
    const canvas = item.querySelector("canvas");
    canvas.ariaLabel = "what the network sees";
    canvas.getContext("2d").putImageData(greyPicture(seen), 0, 0);
    const bars = item.querySelector(".bars");
    bars.ariaLabel = probabilities.map((p, d) => `${d}: ${percent(p)}`).join(", ");
    probabilities.forEach((probability, d) => {
      const bar = document.createElement("i");
      bar.style.width = `${100 * probability}%`;
      bars.append(Object.assign(document.createElement("span"), { textContent: d }), bar);
    });
    return item;
  }
}

function greyPicture(values) {
  const image = new ImageData(28, 28);
  values.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  return image;
}

// ------------------------------------------------------------------ trouble

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

let waiting = false;

/** Say that the server is gone, try until it is back, then read what is on the field. */
async function lost() {
  if (waiting) return;
  waiting = true;
  trouble("The server does not answer. Start draw.py again; what you drew stays here.");
  while (!(await alive())) await new Promise((done) => setTimeout(done, 1000));
  waiting = false;
  trouble("");
  read();
}

async function alive() {
  try {
    return (await fetch("alive")).ok;
  } catch {
    return false;
  }
}

setInterval(async () => {
  if (!waiting && !document.hidden && !(await alive())) lost();
}, 3000);

// -------------------------------------------------------------------- tools

function undo() {
  if (picture) return clear();
  strokes.pop();
  read();
  draw();
}

function clear() {
  strokes = [];
  drawing.clear();
  picture = null;
  trouble("");
  read();
}

async function open(file) {
  if (!file) return;
  strokes = [];
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    // Some formats the browser cannot show and the server can read.
  }
  picture = { file, bitmap };
  answer = null;
  draw();
  read();
}

$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", clear);
$("file").addEventListener("change", (event) => {
  open(event.target.files[0]);
  event.target.value = ""; // the same file may be chosen again
});

addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    if (!$("undo").disabled) undo();
  } else if (event.key === "Delete" || event.key === "Escape") {
    clear();
  }
});

addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
  if (file) open(file);
});

addEventListener("dragover", (event) => {
  event.preventDefault();
  $("field").classList.add("over");
});

addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("field").classList.remove("over");
});

addEventListener("drop", (event) => {
  event.preventDefault();
  $("field").classList.remove("over");
  open(event.dataTransfer.files[0]);
});

addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
