// Pictures over a WebSocket: one on its way to the server and not begun, the newest one waits in the camera.

import { capture, nextPicture } from "./capture.js";
import { packFrame, readMessage } from "./wire.js";

const MOST_UNDERWAY = 8;   // results not back yet: bounds the delay of a slow line
const SILENCE_MS = 4000;   // a question unanswered for so long is asked again

export class WebSocketLink {
  /** on: {hello(message), result({before, after, report, capturedMs}), closed({code, kind, message})}. */
  constructor(token, stream, video, on) {
    this.video = video;
    this.on = on;
    this.underway = new Map();  // sequence -> {bitmap, capturedMs}
    this.sequence = 0;
    this.mayTake = false;
    this.wake = null;
    this.paused = false;
    this.ended = false;
    this.failure = null;
    const url = new URL("visit", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = token ? `?token=${encodeURIComponent(token)}` : "";
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = (event) => this.closed(event.code);
  }

  wish(wishes) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ kind: "wishes", ...wishes }));
  }

  close() {
    this.ended = true;
    this.forget();
    this.socket.close();
  }

  receive(data) {
    if (typeof data === "string") return this.told(JSON.parse(data));
    const message = readMessage(data);
    if (message.kind === "taken") return this.ask();
    return this.show(message);
  }

  told(message) {
    if (message.kind === "error") this.failure = message;
    if (message.kind !== "hello") return;
    this.on.hello(message);
    this.mayTake = true;
    this.feed();
  }

  /** The server has begun with a picture: the next one may be sent. */
  ask() {
    this.mayTake = true;
    this.wake?.();
  }

  async feed() {
    while (!this.ended) {
      if (!(await nextPicture(this.video))) { await pause(200); continue; }
      while (!this.ended && (!this.mayTake || this.underway.size >= MOST_UNDERWAY)) await this.permission();
      if (this.ended || this.paused || document.hidden || !this.video.videoWidth) { await pause(100); continue; }
      this.mayTake = false;
      const { bitmap, jpeg, capturedMs } = await capture(this.video);
      if (this.ended) return bitmap.close();
      const sequence = this.sequence++;
      this.underway.set(sequence, { bitmap, capturedMs });
      this.socket.send(packFrame(sequence, capturedMs, jpeg));
    }
  }

  permission() {
    return new Promise((resolve) => {
      const timer = setTimeout(() => { this.mayTake = true; resolve(); }, SILENCE_MS);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  async show({ sequence, report, jpeg }) {
    const sent = this.underway.get(sequence);
    for (const [older, { bitmap }] of this.underway) {  // those before it were superseded and never come
      if (older <= sequence) this.underway.delete(older);
      if (older < sequence) bitmap.close();
    }
    this.wake?.();
    if (!sent || this.ended) return;
    const after = await createImageBitmap(jpeg);
    if (!this.ended) this.on.result({ before: sent.bitmap, after, report, capturedMs: sent.capturedMs });
    sent.bitmap.close();
    after.close();
  }

  closed(code) {
    const asked = this.ended;
    this.ended = true;
    this.forget();
    this.wake?.();
    if (!asked) this.on.closed({ code, kind: this.failure?.code ?? "lost", message: this.failure?.message ?? "" });
  }

  forget() {
    for (const { bitmap } of this.underway.values()) bitmap.close();
    this.underway.clear();
  }
}

function pause(ms) { return new Promise((resolve) => setTimeout(resolve, ms)); }
