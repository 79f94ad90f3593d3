// The before/after slider: mouse, touch and keyboard. 0 shows only "after", 1 only "before".

const STEP = 0.02, LEAP = 0.1;

export class Curtain {
  constructor(handle, veil, area, labels) {
    this.handle = handle;
    this.veil = veil;
    this.area = area;
    this.labels = labels;
    area.addEventListener("pointerdown", (event) => this.grab(event));
    area.addEventListener("pointermove", (event) => { if (area.hasPointerCapture(event.pointerId)) this.follow(event); });
    handle.addEventListener("keydown", (event) => this.press(event));
    this.set(0.5);
  }

  set(share) {
    this.share = Math.min(1, Math.max(0, share));
    const percent = 100 * this.share;
    this.veil.style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
    this.handle.style.left = `${percent}%`;
    this.handle.setAttribute("aria-valuenow", Math.round(percent));
    this.handle.setAttribute("aria-valuetext", `${Math.round(percent)} percent before`);
    this.labels.before.style.opacity = this.share > 0.18 ? 1 : 0;
    this.labels.after.style.opacity = this.share < 0.82 ? 1 : 0;
  }

  /** Views whose picture is not the camera's, pixel by pixel, have no before. */
  allow(fits) { this.area.classList.toggle("alone", !fits); }

  grab(event) {
    if (this.area.classList.contains("alone") || event.button > 0) return;
    this.area.setPointerCapture(event.pointerId);
    this.handle.focus({ preventScroll: true });
    this.follow(event);
    event.preventDefault();
  }

  follow(event) {
    const box = this.area.getBoundingClientRect();
    this.set((event.clientX - box.left) / box.width);
  }

  press(event) {
    const moved = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP, Home: -1, End: 1 }[event.key];
    if (moved === undefined) return;
    this.set(this.share + moved);
    event.preventDefault();
  }
}
