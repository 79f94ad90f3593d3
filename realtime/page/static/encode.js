// Worker: bitmap -> JPEG, off the page's thread, so that neither waits for the other.

let canvas = null, context = null;

self.addEventListener("message", async (event) => {
  const { bitmap, quality } = event.data;
  try {
    if (canvas?.width !== bitmap.width || canvas?.height !== bitmap.height) {
      canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      context = canvas.getContext("2d", { alpha: false });
    }
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const jpeg = await (await canvas.convertToBlob({ type: "image/jpeg", quality })).arrayBuffer();
    self.postMessage({ jpeg }, [jpeg]);
  } catch (why) {
    self.postMessage({ error: String(why) });
  }
});
