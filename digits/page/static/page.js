// What happens on the page: pens, keys, files and answers come together here.

import * as field from "./drawing.js";
import { EXAMPLES, thumbnail, write } from "./examples.js";
import { copyPicture, saveFilm, savePicture } from "./film.js";
import * as history from "./history.js";
import { follow } from "./living.js";
import { openModel } from "./model.js";
import { readHere } from "./photos.js";
import { body, openPicture } from "./pictures.js";
import { ask as post, hasServer, readsPhotos, Refused, watch } from "./server.js";
import { asText, element, fitNumber, onChoice } from "./showing.js";
import { store, update } from "./store.js";
import { readStrokes } from "./strokes.js";
import * as teaching from "./teaching.js";

const $ = (id) => document.getElementById(id);
const LOCAL = "This page reads what you write, not pictures.";

let place = 0; // of the picture that is shown, among those of this step
let shown = []; // those pictures
let coming = ""; // what is said while files are read
let era = 0; // counts the models that have read
let model = null; // a promise of the one that reads, once it is asked for

const picture = () => history.scene().pictures[place] ?? null;

// ------------------------------------------------------------------- steps

/** Something else lies on the field: show it, keep it, read it. */
function changed() {
  if (history.scene().pictures !== shown) place = 0;
  coming = "";
  trouble("");
  teaching.forget();
  refresh();
  read();
  setTimeout(history.save);
}

/** People say what a digit is: that is a step, too, and the answer holds it. */
function correct(digit, text) {
  const { strokes, pictures, said } = history.scene();
  history.push(strokes, pictures, { ...said, [place]: { ...said[place], [digit]: text } });
  refresh();
  const answer = { ...store.answer, said: history.scene().said[place] };
  update({ answer, chosen: digit, offered: false, kept: null });
  showGallery(pictures);
  setTimeout(history.save);
}

function step(strokes, pictures) {
  history.push(strokes, pictures);
  changed();
}

function refresh() {
  const { strokes, pictures } = history.scene();
  const empty = !strokes.length && !pictures.length;
  shown = pictures;
  field.show({ strokes, picture: picture() });
  $("field").classList.toggle("pictured", pictures.length > 0);
  for (const id of ["pen", "eraser", "width"]) $(id).disabled = pictures.length > 0;
  $("hint").hidden = !empty;
  $("clear").disabled = empty;
  $("undo").disabled = !history.canUndo();
  $("redo").disabled = !history.canRedo();
  showGallery(pictures);
  showWaiting();
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

let asked = 0; // number of the last question; answers to older ones are dropped
let reading = false; // along with the pen

/** Read what is on the field now. */
async function read() {
  const { strokes } = history.scene();
  if (picture()) return ask(() => readPicture(picture()), true);
  if (strokes.length) return ask(() => readDrawing(strokes), true);
  asked++;
  show(null, true);
}

/** Read strokes while the pen is still moving; the last of them is not finished. */
async function readAlong(strokes) {
  if (reading) return;
  reading = true;
  await ask(() => readDrawing([...strokes.slice(0, -1), [...strokes.at(-1)]]), false);
  setTimeout(() => (reading = false), 30);
}

async function ask(question, final) {
  const number = ++asked;
  const started = performance.now();
  if (final) update({ stale: true });
  try {
    const result = await question();
    if (number !== asked) return;
    show(result, final);
    if (final) performance.measure("read", { start: started });
  } catch (error) {
    if (number !== asked || !final) return;
    if (error instanceof Refused) {
      show(null, true);
      trouble(error.message);
    } else if (error instanceof TypeError) server.missed();
    else throw error;
  }
}

function theModel() {
  return (model ??= openModel().catch((error) => {
    model = null; // it is asked for again
    throw error;
  }));
}

async function readDrawing(strokes) {
  const answer = await readStrokes(strokes, (await theModel()).predict);
  return { ...answer, sent: () => field.strokesAsPicture(strokes) };
}

/** What is read of a picture; each model is asked once. */
function readPicture(picture) {
  if (picture.era === era) return picture.reading;
  picture.era = era;
  picture.pending = true;
  picture.reading = hasServer ? sendPicture(picture) : lookAt(picture);
  picture.reading.catch(() => (picture.era = null)).finally(() => {
    picture.pending = false;
    showWaiting();
  });
  showWaiting();
  return picture.reading;
}

async function sendPicture(picture) {
  const sent = await body(picture);
  return (picture.answer = { ...(await post("read", sent)), sent: () => sent });
}

async function lookAt(picture) {
  return (picture.answer = await readHere(picture.image, (share) => {
    picture.share = share;
    showWaiting();
  }));
}

function showWaiting() {
  const { pending, share } = picture() ?? {};
  const text = [coming || (pending ? "Reading …" : ""), pending && share ? ` ${Math.round(100 * share)} %` : ""].join("");
  $("waiting").textContent = text;
  $("waiting").hidden = !text;
}

/** Read all that lies on the field once more: the model is another one. */
async function readAgain() {
  era++;
  model = null;
  const [scene, before] = [history.scene(), store.stale ? undefined : store.answer?.digits];
  await read();
  if (history.scene() !== scene) return;
  if (before !== undefined && !store.stale) teaching.compare(before, store.answer?.digits);
  for (const one of scene.pictures) await readPicture(one).catch(() => {}); // the server is gone
  showGallery(scene.pictures);
}

/** Show what was read; null for nothing. The digit that is most in doubt is the first to see. */
async function show(answer, final) {
  const found = answer?.boxes ?? [];
  const trust = ({ certainty, confidence }) => certainty * confidence;
  const last = found.length - 1;
  const chosen = final ? found.reduce((least, box, i) => (trust(box) < trust(found[least]) ? i : least), 0) : last;
  const said = final ? history.scene().said[place] : undefined;
  update({ answer: answer && { ...answer, said }, chosen: Math.max(0, chosen), offered: false, kept: null, stale: false, final });
  showGallery(history.scene().pictures);
  const opened = await theModel().catch(() => null); // who reads says why there is none
  if (opened) follow(opened.network);
}

// ------------------------------------------------------------------ trouble

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

const server = watch({
  lost: () => ($("lost").hidden = false),
  found() {
    $("lost").hidden = true;
    if (store.stale) read();
  },
  seen: teaching.show,
});

// ----------------------------------------------------------------- pictures

/** Read files one after the other. Only what can be read stays on the field. */
async function take(files) {
  if (!readsPhotos) return trouble(LOCAL);
  const [taken, refused, before] = [[], [], history.scene()];
  const goneOn = () => (taken.length ? history.scene().pictures !== taken : history.scene() !== before);
  for (const [i, file] of files.entries()) {
    const wait = () => {
      coming = files.length > 1 ? `Reading ${i + 1} of ${files.length} …` : "Reading …";
      showWaiting();
    };
    wait();
    try {
      const picture = await openPicture(file);
      if (goneOn()) return;
      taken.push(picture);
      if (taken.length === 1) step([], taken);
      wait();
      await readPicture(picture);
    } catch (error) {
      if (error instanceof TypeError) return server.missed();
      if (goneOn()) return;
      refused.push(`${file.name || "picture"}: ${error.message}`);
      if (taken.at(-1)?.file === file) taken.pop();
      if (!taken.length && history.scene().pictures === taken) {
        history.undo();
        changed();
      }
    }
    if (goneOn()) return;
    showGallery(taken);
  }
  coming = "";
  showWaiting();
  if (refused.length) trouble(refused.join("; "));
}

function showGallery(pictures) {
  $("gallery").hidden = pictures.length < 2;
  if (pictures.length < 2) return $("gallery").replaceChildren();
  const items = pictures.map((one, i) => {
    const [item, button] = [element("li"), element("button")];
    const answer = one.answer && { ...one.answer, said: history.scene().said[i] };
    const text = answer ? asText(answer).replace(/\n/g, " / ") || "no digit" : "…";
    Object.assign(button, { type: "button", title: one.name });
    button.append(Object.assign(element("img"), { alt: one.name, src: one.image.src }), element("span", "", text));
    button.setAttribute("aria-current", i === place);
    button.addEventListener("click", () => {
      place = i;
      teaching.forget();
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
for (const [id, act] of Object.entries({ undo, redo, clear })) $(id).addEventListener("click", act);

$("width").addEventListener("input", ({ target }) => {
  field.tool.width = Number(target.value);
  refresh(); // with the preview
});

$("copy").addEventListener("click", async () => {
  const text = asText(store.answer);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS there is no clipboard: let the browser copy what is selected.
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

const sharing = { "save-picture": savePicture, "copy-picture": copyPicture, "save-film": saveFilm };
for (const [id, act] of Object.entries(sharing)) {
  $(id).addEventListener("click", async () => {
    try {
      await act(history.scene().strokes, picture()?.image, (strokes) => readDrawing(strokes));
    } catch {
      trouble("This browser cannot do that here.");
    }
    $("share").open = false;
  });
}

addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (key === "escape") return escape();
  if (event.target.closest?.("input:not([type=range]), select")) return; // that is written in
  if (event.ctrlKey || event.metaKey) {
    const back = key === "z" && !event.shiftKey;
    const forward = (key === "z" && event.shiftKey) || key === "y";
    if (!back && !forward) return;
    event.preventDefault();
    if (back) undo();
    else redo();
  } else if (key === "delete") clear();
  else if (key === "p") use(false);
  else if (key === "e") use(true);
});

/** Escape takes back what was begun last. */
function escape() {
  const inside = $("share").contains(document.activeElement);
  if ($("share").open) $("share").open = false;
  else if (!field.cancel() && store.offered) update({ offered: false });
  if (inside) $("share").firstElementChild.focus();
}

addEventListener("pointerdown", ({ target }) => {
  if (!$("share").contains(target)) $("share").open = false;
});

for (const number of EXAMPLES) {
  const button = Object.assign(element("button", "example"), { type: "button" });
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

onChoice(correct);
teaching.start({
  look: server.look,
  changed: readAgain,
  write: (strokes) => step(strokes, []),
  trouble,
});

field.start({
  begin() {
    trouble("");
    $("hint").hidden = true;
  },
  move: readAlong,
  end(strokes) {
    step(strokes, []);
    teaching.written();
  },
  cancel() {
    refresh();
    read();
  },
  tap(digit) {
    update(digit < 0 ? { offered: false } : { chosen: digit, offered: true });
  },
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

$("bring").hidden = !readsPhotos;
$("learning").hidden = !hasServer;
document.body.classList.toggle("writing-only", !readsPhotos);
await history.restore();
refresh();
read();
