// Pictures that people bring: opened, made smaller where they must be, and kept for a reload.

const LARGEST = 10 * 1024 * 1024; // bytes that the server takes
const PIXELS = 50_000_000; // the same
const KINDS = /^$|^image\/(jpeg|png|gif|bmp|webp|tiff|avif)$/; // that the server opens itself
const SIDE = 2500; // pixels that the longer side of a smaller copy has
const KEPT = 1024 * 1024; // bytes: larger files are kept as a smaller copy for a reload

/**
 * A picture: {name, file, image, copy}. `image` is null where the browser cannot open it, which
 * does not mean that the server can't; `copy` is a data URL, once it is ready.
 */
export async function openPicture(file) {
  const picture = { name: file.name, file, image: await openImage(file), copy: null };
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
    const blob = picture.file.size > KEPT ? await smaller(picture, 1600) : picture.file;
    const reader = new FileReader();
    reader.onload = () => (picture.copy = reader.result);
    reader.readAsDataURL(blob);
  } catch {
    // Too large, and the browser cannot make it smaller: it is not kept.
  }
}

/** What is sent: the file as it is, unless it is too large. */
export function body(picture) {
  const { file, image } = picture;
  const large = file.size > LARGEST || image?.naturalWidth * image?.naturalHeight > PIXELS;
  return large ? smaller(picture) : file;
}

/** Whether the browser opens a kind that the server may not know, as HEIC in Safari. */
export const onlyHere = ({ file, image }) => Boolean(image) && !KINDS.test(file.type);

/** A JPEG of what the browser shows. Throws where it shows nothing. */
export async function smaller({ image }, side = SIDE) {
  if (!image) throw new Error("too large, and this browser cannot open it to make it smaller");
  const [width, height] = [image.naturalWidth || side, image.naturalHeight || side];
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // where it is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("too large for this browser"))), "image/jpeg", 0.9);
  });
}
