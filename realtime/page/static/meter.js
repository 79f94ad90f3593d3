// Rate and delay of the newest results. Milliseconds on performance.now()'s clock.

const SPAN_MS = 3000;

export class Meter {
  constructor() { this.reset(); }

  reset() { this.results = []; }

  /** A result was shown at `shownMs`; its picture was captured at `capturedMs`. */
  add(shownMs, capturedMs, serverMs) {
    this.results.push({ shownMs, latencyMs: shownMs - capturedMs, serverMs });
    while (this.results[0].shownMs < shownMs - SPAN_MS) this.results.shift();
  }

  /** {fps, latencyMs, serverMs}: medians over the last three seconds; null before there are two results. */
  read(nowMs) {
    const recent = this.results.filter((result) => result.shownMs > nowMs - SPAN_MS);
    if (recent.length < 2) return null;
    const spanMs = recent[recent.length - 1].shownMs - recent[0].shownMs;
    return {
      fps: spanMs > 0 ? (1000 * (recent.length - 1)) / spanMs : 0,
      latencyMs: median(recent.map((result) => result.latencyMs)),
      serverMs: median(recent.map((result) => result.serverMs)),
    };
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
