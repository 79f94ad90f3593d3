// The newest picture of a video element as JPEG. One is encoded at a time; nothing queues.

const QUALITY = 0.85;
const worker = typeof OffscreenCanvas === "undefined" ? null : new Worker(new URL("encode.js", import.meta.url));

/** {bitmap, jpeg (ArrayBuffer), capturedMs}: the caller closes `bitmap`. */
export async function capture(video) {
  const capturedMs = performance.now();
  const bitmap = await createImageBitmap(video);
  const jpeg = worker ? await encodeBeside(bitmap) : await encodeHere(bitmap);
  return { bitmap, jpeg, capturedMs };
}

let answer = null;
worker?.addEventListener("message", (event) => answer(event.data));

async function encodeBeside(bitmap) {
  const copy = await createImageBitmap(bitmap);  // the page keeps one to show as "before"
  return new Promise((resolve, reject) => {
    answer = (data) => (data.jpeg ? resolve(data.jpeg) : reject(new Error(data.error)));
    worker.postMessage({ bitmap: copy, quality: QUALITY }, [copy]);
  });
}

let canvas = null;

function encodeHere(bitmap) {
  canvas ??= document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return new Promise((resolve, reject) => canvas.toBlob(
    (blob) => (blob ? blob.arrayBuffer().then(resolve, reject) : reject(new Error("no JPEG could be made"))), "image/jpeg", QUALITY));
}

/** Waits for a picture of the video that has not been seen; true, or false where the video has ended. */
export function nextPicture(video) {
  return new Promise((resolve) => {
    if (!video.srcObject?.active) resolve(false);
    else if (video.requestVideoFrameCallback) {
      const timer = setTimeout(() => resolve(video.srcObject?.active ?? false), 1000);  // hidden pages get no callbacks
      video.requestVideoFrameCallback(() => { clearTimeout(timer); resolve(true); });
    } else setTimeout(() => resolve(true), 33);
  });
}
