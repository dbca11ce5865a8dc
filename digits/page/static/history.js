// One history for all that happens on the field. A step is what lies there after it:
// {strokes, pictures, said}, and is never changed, so that undo and redo only move to another one.
// A stroke is a list of {x, y, width}; a picture is what pictures.js makes; `said` is what people say
// that digits are: {number of a picture: {number of a digit: text}}.

import { openPicture } from "./pictures.js";

const KEY = "drawing";
const MOST = 500; // steps

let steps = [{ strokes: [], pictures: [], said: {} }];
let at = 0;

export const scene = () => steps[at];
export const canUndo = () => at > 0;
export const canRedo = () => at < steps.length - 1;

export function push(strokes, pictures = [], said = {}) {
  steps = [...steps.slice(0, at + 1), { strokes, pictures, said }].slice(-MOST);
  at = steps.length - 1;
}

export function undo() {
  at = Math.max(0, at - 1);
}

export function redo() {
  at = Math.min(steps.length - 1, at + 1);
}

/** Every stroke that undo or redo can bring back. */
export const allStrokes = () => [...new Set(steps.flatMap((step) => step.strokes))];

/** Keep the history until the tab is closed: as much of it as the browser has room for. */
export function save() {
  let kept = steps;
  let now = at;
  for (;;) {
    try {
      return sessionStorage.setItem(KEY, asText(kept, now));
    } catch {
      if (kept.length > 1 && now > 0) [kept, now] = [kept.slice(1), now - 1];
      else if (kept.length > 1) kept = kept.slice(0, -1);
      else if (kept[0]?.pictures.length) kept = [{ ...kept[0], pictures: kept[0].pictures.slice(0, -1) }];
      else return; // no storage at all
    }
  }
}

function asText(kept, now) {
  const numbered = (all) => new Map([...new Set(all)].map((one, i) => [one, i]));
  const strokes = numbered(kept.flatMap((step) => step.strokes));
  const pictures = numbered(kept.flatMap((step) => step.pictures).filter((one) => one.copy));
  return JSON.stringify({
    at: now,
    strokes: [...strokes.keys()],
    pictures: [...pictures.keys()].map(({ name, copy }) => ({ name, copy })),
    steps: kept.map((step) => ({
      strokes: step.strokes.map((one) => strokes.get(one)),
      pictures: step.pictures.filter((one) => one.copy).map((one) => pictures.get(one)),
      said: step.said,
    })),
  });
}

/** Bring back what `save` kept. */
export async function restore() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    if (!kept) return;
    const files = kept.pictures.map(({ name, copy }) => asFile(name, copy));
    const pictures = await Promise.all(files.map(openPicture));
    steps = kept.steps.map((step) => ({
      strokes: step.strokes.map((i) => kept.strokes[i]),
      pictures: step.pictures.map((i) => pictures[i]),
      said: step.said,
    }));
    at = kept.at;
  } catch {
    // No storage, or nothing in it that this page wrote: begin with an empty field.
  }
}

function asFile(name, copy) {
  const [, type, text] = copy.match(/^data:([^;,]*);base64,(.*)$/);
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new File([bytes], name, { type });
}
