// What the page asks the server, and what it does while there is none.

/** An error that the server explained, or that the browser can explain. */
export class Refused extends Error {}

/** The server's answer as an object. Throws Refused, or TypeError if nobody answers. */
export async function post(path, body) {
  const type = body.type?.startsWith("image/") ? body.type : "application/octet-stream";
  const response = await fetch(path, { method: "POST", body, headers: { "Content-Type": type } });
  const result = await response.json().catch(() => ({ error: "the server's answer makes no sense" }));
  if (!response.ok) throw new Refused(result.error);
  return result;
}

async function alive() {
  try {
    return (await fetch("alive")).ok;
  } catch {
    return false;
  }
}

let gone = false;

/** Call `lost` when the server is gone, and `found` when it is back. */
export function watch(lost, found) {
  const look = async () => {
    if (document.hidden && !gone) return;
    const there = await alive();
    if (there === gone) there ? found() : lost();
    gone = !there;
  };
  setInterval(() => !gone && look(), 3000);
  setInterval(() => gone && look(), 1000);
  return () => {
    if (!gone) lost();
    gone = true;
  };
}
