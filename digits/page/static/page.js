// What happens on the page: pens, keys, files and answers come together here.

import * as field from "./drawing.js";
import { EXAMPLES, thumbnail, write } from "./examples.js";
import * as history from "./history.js";
import { body, onlyHere, openPicture, smaller } from "./pictures.js";
import { openModel } from "./model.js";
import { ask as post, Refused, watch } from "./server.js";
import { asText, fitNumber, showAnswer, showChosen, showInside } from "./showing.js";
import { readStrokes } from "./strokes.js";
import * as teaching from "./teaching.js";

const $ = (id) => document.getElementById(id);

let answer = null; // what was read of what is on the field
let stale = false; // or was, until a moment ago
let chosen = 0; // the digit that is shown large
let place = 0; // of the picture that is shown, among those of this step
let era = 0; // counts the models that have read

const picture = () => history.scene().pictures[place] ?? null;

// ------------------------------------------------------------------- steps

/** Something else lies on the field: show it, keep it, read it. */
function changed() {
  place = 0;
  trouble("");
  teaching.forget();
  outdated();
  refresh();
  read();
  setTimeout(history.save);
}

/** The answer that is shown belongs to what was there before. */
function outdated(yes = true) {
  stale = yes;
  document.body.classList.toggle("stale", stale);
}

function step(strokes, pictures) {
  history.push(strokes, pictures);
  changed();
}

function refresh() {
  const { strokes, pictures } = history.scene();
  const empty = !strokes.length && !pictures.length;
  field.show({ strokes, picture: picture(), answer: stale ? null : answer, chosen });
  $("field").classList.toggle("pictured", pictures.length > 0);
  $("hint").hidden = !empty;
  $("clear").disabled = empty;
  $("undo").disabled = !history.canUndo();
  $("redo").disabled = !history.canRedo();
  showGallery(pictures);
}

function undo() {
  if (field.cancel()) return;
  history.undo();
  changed();
}

function redo() {
  history.redo();
  changed();
}

function clear() {
  if (!$("clear").disabled) step([], []);
}

// ------------------------------------------------------------------ reading

const PAUSE = 50; // ms between two readings while the pen moves, at least
const SHARE = 2; // and at least so many times as long as the last one took

let asked = 0; // number of the last question; answers to older ones are dropped
let busy = false;
let last = { end: 0, took: 0 };

/** Read what is on the field now. */
async function read() {
  const { strokes } = history.scene();
  if (picture()) return ask(() => readPicture(picture()), true);
  if (strokes.length) return ask(() => readDrawing(strokes), true);
  asked++;
  show(null, true);
}

/** Read strokes while the pen is still moving, where the machine keeps up. */
function readAlong(strokes) {
  const pause = Math.max(PAUSE, SHARE * last.took);
  if (busy || performance.now() - last.end < pause) return;
  ask(() => readDrawing(strokes.map((stroke, i) => (i < strokes.length - 1 ? stroke : [...stroke]))), false);
}

async function ask(question, final) {
  const number = ++asked;
  const started = performance.now();
  outdated();
  busy = true;
  try {
    const result = await question();
    if (number === asked) show(result, final);
    if (final) performance.measure("read", { start: started });
  } catch (error) {
    if (number !== asked || !final) return;
    if (error instanceof Refused) {
      show(null, true);
      trouble(error.message);
    } else if (error instanceof TypeError) server.missed();
    else throw error;
  } finally {
    if (number === asked) busy = false;
    last = { end: performance.now(), took: performance.now() - started };
  }
}

let model = null; // a promise of it, once it is asked for

async function readDrawing(strokes) {
  const opened = await (model ??= openModel().catch((error) => {
    model = null; // it is asked for again
    throw error;
  }));
  return { ...(await readStrokes(strokes, opened.predict)), sent: () => field.strokesAsPicture(strokes) };
}

async function readPicture(picture) {
  if (picture.answer?.era === era) return picture.answer;
  try {
    picture.answer = await readBlob(await body(picture));
  } catch (error) {
    if (!(error instanceof Refused && onlyHere(picture))) throw error;
    picture.answer = await readBlob(await smaller(picture));
  }
  return picture.answer;
}

/** The answer, with what was sent, which may be kept. */
async function readBlob(sent) {
  const now = era;
  return { ...(await post("read", sent)), sent: () => sent, era: now };
}

/** Read all that lies on the field once more: the model is another one. */
async function readAgain() {
  era++;
  model = null;
  const [scene, before] = [history.scene(), answer?.digits];
  await read();
  if (history.scene() !== scene || before === undefined) return;
  teaching.compare(before, answer?.digits);
  for (const one of scene.pictures) await readPicture(one).catch(() => {}); // the server is gone
  showGallery(scene.pictures);
}

/** Show what was read; null for nothing. What was read of a stroke so far has no boxes yet. */
function show(result, final) {
  outdated(false);
  const found = result?.boxes ?? [];
  answer = result;
  // The digit that is most in doubt is the first to see.
  const trust = ({ certainty, confidence }) => certainty * confidence;
  chosen = found.reduce((least, box, i) => (trust(box) < trust(found[least]) ? i : least), 0);
  showAnswer(result, { final, chosen, choose });
  if (final) refresh();
  teaching.offer(result, chosen);
  if (found.length) choose(chosen);
}

function choose(number) {
  chosen = number;
  showChosen(answer, chosen);
  teaching.offer(answer, chosen);
  field.show({ chosen });
  lookInside();
}

// -------------------------------------------------------- inside the model

let looked = 0;

async function lookInside() {
  if (!$("inside").open || !answer?.boxes.length) return;
  const number = ++looked;
  const box = answer.boxes[chosen];
  const started = performance.now();
  try {
    const inside = await post("inside", new Blob([Uint8Array.from(box.seen)]));
    if (number !== looked) return;
    const asBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    showInside(box, { ...inside, layers: inside.layers.map((layer) => ({ ...layer, maps: asBytes(layer.maps) })) });
    performance.measure("inside", { start: started });
  } catch (error) {
    if (error instanceof Refused) trouble(error.message);
    else server.missed();
  }
}

$("inside").addEventListener("toggle", lookInside);

// ------------------------------------------------------------------ trouble

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

const server = watch({
  lost() {
    outdated();
    trouble("The server does not answer. Start draw.py again; what you wrote stays here.");
  },
  found() {
    trouble("");
    read();
  },
  seen: teaching.show,
});

teaching.start({ look: server.look, changed: readAgain });

// ----------------------------------------------------------------- pictures

/** Read files one after the other. Only what can be read comes on the field. */
async function take(files) {
  const [taken, refused] = [[], []];
  outdated();
  for (const file of files) {
    const picture = await openPicture(file);
    try {
      await readPicture(picture);
    } catch (error) {
      if (error instanceof TypeError) return server.missed();
      refused.push(`${file.name || "picture"}: ${error.message}`);
      continue;
    }
    taken.push(picture);
    if (taken.length === 1) step([], taken);
    else if (history.scene().pictures === taken) showGallery(taken);
  }
  if (!taken.length) read(); // what was there before
  if (refused.length) trouble(refused.join("; "));
}

function showGallery(pictures) {
  $("gallery").hidden = pictures.length < 2;
  if (pictures.length < 2) return $("gallery").replaceChildren();
  const items = pictures.map((one, i) => {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", title: one.name });
    const image = Object.assign(document.createElement("img"), { alt: one.name, src: one.image?.src ?? "page/icon.svg" });
    const text = one.answer ? asText(one.answer).replace(/\n/g, " / ") || "no digit" : "…";
    button.append(image, Object.assign(document.createElement("span"), { textContent: text }));
    button.setAttribute("aria-current", i === place);
    button.addEventListener("click", () => {
      place = i;
      teaching.forget();
      outdated();
      refresh();
      read();
    });
    item.append(button);
    return item;
  });
  $("gallery").replaceChildren(...items);
}

for (const id of ["file", "camera"]) {
  $(id).addEventListener("change", ({ target }) => {
    take([...target.files]);
    target.value = ""; // the same file may be chosen again
  });
}

addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) take(files);
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
  if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
});

// -------------------------------------------------------------------- tools

function use(erasing) {
  field.tool.erasing = erasing;
  $("pen").setAttribute("aria-pressed", !erasing);
  $("eraser").setAttribute("aria-pressed", erasing);
  $("field").classList.toggle("erasing", erasing);
}

$("pen").addEventListener("click", () => use(false));
$("eraser").addEventListener("click", () => use(true));
$("undo").addEventListener("click", undo);
$("redo").addEventListener("click", redo);
$("clear").addEventListener("click", clear);
$("width").addEventListener("input", () => {
  field.tool.width = Number($("width").value);
  field.show({});
});

$("copy").addEventListener("click", async () => {
  const text = asText(answer);
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else {
    // Away from localhost a page without HTTPS may not use the clipboard's own interface.
    getSelection().selectAllChildren($("number"));
    document.execCommand("copy");
    getSelection().removeAllRanges();
  }
  $("spoken").textContent = "copied";
  sign("done");
  setTimeout(sign, 1500, "copy");
});

/** Put an icon on the button that copies. */
function sign(icon) {
  $("copy").firstElementChild.firstElementChild.setAttribute("href", `#icon-${icon}`);
  $("copy").classList.toggle("done", icon === "done");
}

addEventListener("keydown", (event) => {
  if (event.target.type === "text") return; // these keys are the text's
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    const back = key === "z" && !event.shiftKey;
    const forward = (key === "z" && event.shiftKey) || key === "y";
    if (!back && !forward) return;
    event.preventDefault();
    if (back) undo();
    else redo();
  } else if (key === "delete") clear();
  else if (key === "escape") field.cancel();
  else if (key === "p") use(false);
  else if (key === "e") use(true);
});

for (const number of EXAMPLES) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "example" });
  const strokes = write(number);
  button.append(thumbnail(strokes));
  button.setAttribute("aria-label", `Example: ${number}`);
  button.addEventListener("click", (event) => {
    step(strokes, []);
    if (!event.detail) $("undo").focus(); // by a key: the button itself is gone
  });
  $("examples").append(button);
}

// -------------------------------------------------------------------- start

field.start({
  begin() {
    trouble("");
    $("hint").hidden = true;
  },
  move: readAlong,
  end: (strokes) => step(strokes, []),
  cancel() {
    refresh();
    read();
  },
  tap(point) {
    const digit = field.digitAt(point);
    if (digit >= 0) choose(digit);
  },
  palm: () => trouble("A pen was seen, so fingers do not draw. Reload the page to use them again."),
  all: history.allStrokes,
  scale(toScreen) {
    $("dot").style.width = $("dot").style.height = `${field.tool.width * toScreen}px`;
  },
});

addEventListener("pagehide", history.save);
for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  matchMedia(query).addEventListener("change", refresh);
}
new ResizeObserver(fitNumber).observe($("number"));

$("how").open = matchMedia("(min-width: 64rem) and (min-height: 40rem)").matches;
await history.restore();
refresh();
read();
