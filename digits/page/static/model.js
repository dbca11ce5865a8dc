// The model that reads, wherever it runs: here where the browser can, or else on the server.

import { readNetwork } from "./network.js";
import { ask, networkBytes } from "./server.js";

const SLICE = 8; // ms: so long a pen may wait

/**
 * The server's model, or the one that was exported with the page. Returns {network, predict}: the
 * layers, or null where only the server can run them; and images -> ten probabilities each.
 */
export async function openModel() {
  const bytes = await networkBytes();
  if (!bytes.byteLength) return { network: null, predict: predictThere };
  const network = readNetwork(bytes);
  return { network, predict: (images) => predictHere(network, images) };
}

let latest = 0; // question; an older one is given up

async function predictHere(network, images) {
  const probabilities = [];
  const number = ++latest;
  let since = performance.now();
  for (const image of images) {
    if (performance.now() - since > SLICE) {
      await nextTask();
      if (number !== latest) throw new Error("there is a newer question");
      since = performance.now();
    }
    probabilities.push(network.run(image));
  }
  return probabilities;
}

const channel = new MessageChannel();
let waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** A timer would wait for 4 ms. */
function nextTask() {
  return new Promise((done) => {
    waiting.push(done);
    channel.port2.postMessage(null);
  });
}

async function predictThere(images) {
  if (!images.length) return [];
  return (await ask("predict", new Blob(images))).probabilities;
}
