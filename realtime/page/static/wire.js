// What page and server say to each other: see realtime/page/wire.py, which has the layouts. Little-endian.

const FRAME = 1, RESULT = 2, TAKEN = 3, VERSION = 1;
const FRAME_HEADER = 16, RESULT_HEADER = 12;
const utf8 = new TextDecoder();

/** A frame: `jpeg` is an ArrayBuffer, `capturedMs` on the page's clock. */
export function packFrame(sequence, capturedMs, jpeg) {
  const message = new Uint8Array(FRAME_HEADER + jpeg.byteLength);
  const header = new DataView(message.buffer);
  header.setUint8(0, FRAME);
  header.setUint8(1, VERSION);
  header.setUint32(4, sequence, true);
  header.setFloat64(8, capturedMs, true);
  message.set(new Uint8Array(jpeg), FRAME_HEADER);
  return message;
}

/** {kind: "taken", sequence} or {kind: "result", sequence, report, jpeg}. Throws on anything else. */
export function readMessage(buffer) {
  const header = new DataView(buffer);
  const kind = header.getUint8(0), version = header.getUint8(1), sequence = header.getUint32(4, true);
  if (version !== VERSION) throw new Error(`the server speaks version ${version}; reload the page`);
  if (kind === TAKEN) return { kind: "taken", sequence };
  if (kind !== RESULT) throw new Error(`a message of unknown kind ${kind}`);
  const end = RESULT_HEADER + header.getUint32(8, true);
  const report = JSON.parse(utf8.decode(new Uint8Array(buffer, RESULT_HEADER, end - RESULT_HEADER)));
  return { kind: "result", sequence, report, jpeg: new Blob([new Uint8Array(buffer, end)], { type: "image/jpeg" }) };
}
