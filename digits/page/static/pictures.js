// Pictures that people bring: opened, made smaller where they must be, and kept for a reload.

import { preview } from "./server.js";

export const PIXELS = 1_470_000; // the reader works at no more
const SIDE = 1200; // pixels of a drawing that has no size of its own
const SMALL = 1024 * 1024; // bytes: smaller files of a kind that the server opens are sent as they are
const KINDS = /^$|^image\/(jpeg|png|gif|bmp|webp|tiff|avif)$/;

/**
 * A picture: {name, file, image, copy}. Where the browser cannot open it, as HEIC, the server makes
 * a preview of it, or says what is wrong; `copy` is a data URL, once it is ready.
 */
export async function openPicture(file) {
  const image = (await openImage(file)) ?? (await openImage(await preview(file)));
  const picture = { name: file.name, file, image, copy: null };
  keepCopy(picture);
  return picture;
}

// An <img> opens whatever the browser can show (HEIC in Safari, SVG), turned as EXIF says.
async function openImage(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    return image;
  } catch {
    URL.revokeObjectURL(image.src);
    return null;
  }
}

async function keepCopy(picture) {
  try {
    const reader = new FileReader();
    reader.onload = () => (picture.copy = reader.result);
    reader.readAsDataURL(await body(picture));
  } catch {
    // The browser cannot make it smaller: it is not kept.
  }
}

/** What is sent: the file as it is where it is small, or what the reader would make of it. */
export const body = (picture) => (picture.sent ??= made(picture));

async function made({ file, image }) {
  const large = file.size > SMALL || (image?.naturalWidth ?? 0) * (image?.naturalHeight ?? 0) > 4 * PIXELS;
  return image && (large || !KINDS.test(file.type)) ? smaller(image) : file;
}

/** A JPEG of what the browser shows. */
async function smaller(image) {
  const canvas = canvasOf(image, PIXELS);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("too large for this browser"))), "image/jpeg", 0.9);
  });
}

/** What the browser shows, in so many pixels at most, as a canvas. */
export function canvasOf(image, pixels) {
  const [width, height] = [image.naturalWidth || SIDE, image.naturalHeight || SIDE];
  const scale = Math.min(1, Math.sqrt(pixels / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // where it is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
