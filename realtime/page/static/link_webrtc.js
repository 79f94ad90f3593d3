// Video both ways over WebRTC, measurements and wishes over its data channel. Negotiated by one HTTP request.

const PING_MS = 1000;
const OPENING_MS = 8000;
const MOST_KEPT = 24;  // camera pictures kept to be shown as "before": a second or less

export class WebRtcLink {
  /** As WebSocketLink. */
  constructor(token, stream, video, on) {
    this.video = video;
    this.on = on;
    this.paused = this.ended = this.opened = false;
    this.kept = [];  // {bitmap, capturedMs}, oldest first
    this.report = null;
    this.rttMs = 0;
    this.connection = new RTCPeerConnection({ iceServers: [] });
    this.remote = document.createElement("video");
    this.remote.muted = this.remote.playsInline = true;
    this.channel = this.connection.createDataChannel("results", { ordered: true });
    this.channel.onmessage = (event) => this.told(JSON.parse(event.data));
    this.channel.onclose = () => this.closed("lost");
    this.connection.ontrack = ({ track }) => this.watch(track);
    this.connection.onconnectionstatechange = () => {
      if (this.connection.connectionState === "failed") this.closed(this.opened ? "lost" : "no_webrtc");
    };
    stream.getVideoTracks().forEach((track) => this.connection.addTrack(track, stream));
    this.timers = [setInterval(() => this.ping(), PING_MS), setTimeout(() => { if (!this.opened) this.closed("no_webrtc"); }, OPENING_MS)];
    this.negotiate(token).catch((why) => this.closed("no_webrtc", String(why)));
  }

  async negotiate(token) {
    await this.connection.setLocalDescription(await this.connection.createOffer());
    await gathered(this.connection);
    const { sdp, type } = this.connection.localDescription;
    const answer = await fetch(`offer${token ? `?token=${encodeURIComponent(token)}` : ""}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ sdp, type }),
    }).catch(() => null);
    if (!answer) return this.closed("lost");
    const said = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : { message: await answer.text() };
    if (!answer.ok) return this.closed(said.code ?? "refused", said.message);
    if (!this.ended) await this.connection.setRemoteDescription({ sdp: said.sdp, type: said.type });
  }

  wish(wishes) { this.say({ kind: "wishes", ...wishes }); }

  say(message) { if (this.channel.readyState === "open") this.channel.send(JSON.stringify(message)); }

  ping() { this.say({ kind: "ping", sent_ms: performance.now() }); }

  told(message) {
    if (message.kind === "hello") { this.opened = true; this.on.hello(message); this.keep(); }
    else if (message.kind === "result") this.report = message;
    else if (message.kind === "pong") this.rttMs = performance.now() - message.sent_ms;
    else if (message.kind === "error") this.closed(message.code, message.message);
  }

  /** Remembers the camera's newest pictures. */
  async keep() {
    while (!this.ended) {
      await nextFrame(this.video);
      if (this.ended || !this.video.videoWidth) continue;
      this.kept.push({ bitmap: await createImageBitmap(this.video), capturedMs: performance.now() });
      while (this.kept.length > MOST_KEPT) this.kept.shift().bitmap.close();
    }
  }

  async watch(track) {
    this.remote.srcObject = new MediaStream([track]);
    await this.remote.play();
    while (!this.ended) {
      await nextFrame(this.remote);
      if (this.ended || this.paused || !this.report || !this.remote.videoWidth) continue;
      const capturedMs = performance.now() - this.rttMs - this.report.server_ms;  // as near as one can know it
      const before = this.kept.reduce((best, one) => (best && Math.abs(best.capturedMs - capturedMs) <= Math.abs(one.capturedMs - capturedMs) ? best : one), null);
      if (!before) continue;
      const after = await createImageBitmap(this.remote);
      if (!this.ended) this.on.result({ before: before.bitmap, after, report: this.report, capturedMs });
      after.close();
    }
  }

  close() {
    this.ended = true;
    this.timers.forEach(clearTimeout);
    this.kept.forEach(({ bitmap }) => bitmap.close());
    this.kept = [];
    this.connection.close();
    this.remote.srcObject = null;
  }

  closed(kind, message = "") {
    if (this.ended) return;
    this.close();
    this.on.closed({ code: 0, kind, message });
  }
}

function gathered(connection) {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    connection.addEventListener("icegatheringstatechange", () => { if (connection.iceGatheringState === "complete") resolve(); });
  });
}

function nextFrame(video) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 500);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(() => { clearTimeout(timer); resolve(); });
  });
}
