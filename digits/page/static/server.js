// What the page asks the server, and what it does while there is none.

const exported = document.getElementById("exported"); // holds the model of a page without a server

const detector = document.getElementById("detector"); // and this what finds digits on a photo

/** Whether this page came from draw.py, and not from any web host or a disk. */
export const hasServer = !exported;

/** Whether photos are read: by the server, or here. */
export const readsPhotos = hasServer || Boolean(detector);

/** An error that the server explained, or that the browser can explain. */
export class Refused extends Error {}

const typeOf = (body) => (body.type?.startsWith("image/") ? body.type : "application/octet-stream");

/** The server's answer as an object. Throws Refused, or TypeError if nobody answers. */
export async function ask(path, body) {
  const response = await fetch(path, { method: "POST", body, headers: { "Content-Type": typeOf(body) } });
  const result = await response.json().catch(() => ({ error: "the server's answer makes no sense" }));
  if (!response.ok) throw new Refused(result.error);
  return result;
}

/** The model as bytes: none where the browser cannot run it. Throws TypeError if nobody answers. */
export async function networkBytes() {
  if (exported) return bytesIn(exported);
  const response = await fetch("network");
  if (!response.ok) throw new TypeError("no model");
  return response.arrayBuffer();
}

/** What was exported with the page to find digits on photos, as bytes. */
export const detectorBytes = () => bytesIn(detector);

const bytesIn = ({ textContent }) => Uint8Array.from(atob(textContent.trim()), (letter) => letter.charCodeAt(0)).buffer;

/** A picture that only the server opens, as a JPEG. Throws Refused where it cannot either. */
export async function preview(file) {
  if (!hasServer) throw new Refused("not a picture that this browser opens");
  const response = await fetch("preview", { method: "POST", body: file, headers: { "Content-Type": typeOf(file) } });
  if (!response.ok) throw new Refused((await response.json()).error);
  return response.blob();
}

/** What is kept and learned, or null if nobody answers. */
async function state() {
  try {
    const response = await fetch("state");
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

let gone = false;

/**
 * Ask for the state when people come to the page or have changed it, and while something is learned,
 * and tell it to `seen`; call `lost` when the server is gone, and `found` when it is back. Returns
 * {look, missed}: ask at once, and that nobody answered.
 */
export function watch({ lost, found, seen }) {
  let timer;
  function missed() {
    if (!gone) lost();
    gone = true;
    again();
  }
  async function look() {
    clearTimeout(timer);
    if (!hasServer || (document.hidden && !gone)) return;
    const now = await state();
    if (!now) return missed();
    if (gone) found();
    gone = false;
    seen(now);
    if (now.training) again();
  }
  function again() {
    clearTimeout(timer);
    timer = setTimeout(look, 1000);
  }
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
  look();
  return { look, missed };
}
