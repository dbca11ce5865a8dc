// Photos, read in this browser where no server does it; a worker reads, and the page goes on.

import { canvasOf, PIXELS } from "./pictures.js";
import { detectorBytes, networkBytes, Refused } from "./server.js";

const waiting = new Map(); // number of a question -> {done, fail, progress}
let asked = 0; // number of the last one
let worker = null; // a promise of it, once there is a question

/** The answer for a picture, as the server gives it; `progress` is told how much is done, 0 to 1. */
export async function readHere(image, progress) {
  const canvas = canvasOf(image, 4 * PIXELS); // the rest is left to the worker, as exact as Python is
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const thread = await (worker ??= started());
  const number = ++asked;
  return new Promise((done, fail) => {
    waiting.set(number, { done, fail, progress });
    thread.postMessage({ number, picture: { data, width, height } }, [data.buffer]);
  });
}

async function started() {
  const [detector, network] = [detectorBytes(), await networkBytes()];
  const thread = new Worker(alone("reading_worker.js"), { type: "module" });
  thread.onmessage = ({ data: { number, share, answer } }) => {
    const { done, progress } = waiting.get(number);
    if (!answer) return progress(share);
    waiting.delete(number);
    done(answer);
  };
  thread.onerror = () => {
    worker = null;
    for (const { fail } of waiting.values()) fail(new Refused("this browser cannot read pictures"));
    waiting.clear();
    thread.terminate();
  };
  thread.postMessage({ detector, network }, [detector, network]);
  return thread;
}

/** A script as a data URL that has in it all that it imports: a worker knows no import map. */
function alone(name) {
  const script = atob(import.meta.resolve(name).split(",")[1]);
  return `data:text/javascript;base64,${btoa(script.replace(/(?<=from ")[\w.]+(?=")/g, alone))}`;
}
