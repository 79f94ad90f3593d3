// What is known of the faces: which one is told about, its glasses, pose and blendshapes.

import { Shapes } from "./shapes.js";

const GLASSES = { none: "none", clear: "clear lenses", dark: "dark lenses" };
const LEAST_MS = 66;  // faster, nobody can read, and the page would only be busy

export class Faces {
  /** find: id -> element. */
  constructor(find) {
    this.find = find;
    this.shapes = new Shapes(find("shapes"));
    this.chosen = null;
    this.shownMs = 0;
    this.listed = "";
  }

  name(names) { this.shapes.name(names); }

  show(faces) {
    const now = performance.now();
    if (faces.length && now - this.shownMs < LEAST_MS) return;
    this.shownMs = now;
    this.list(faces.map((face) => face.track));
    const face = faces.find((one) => one.track === this.chosen) ?? largest(faces);
    this.shapes.show(face?.shapes ?? null);
    this.find("glasses").textContent = face ? GLASSES[face.glasses] : "–";
    ["pitch", "yaw", "roll"].forEach((angle, index) => {
      this.find(angle).textContent = face?.pose ? `${Math.round(face.pose[index])}°` : "–";
    });
  }

  /** A button per face where there are several. */
  list(tracks) {
    if (!tracks.includes(this.chosen)) this.chosen = null;
    const wanted = JSON.stringify([tracks, this.chosen]);
    if (wanted === this.listed) return;
    this.listed = wanted;
    const buttons = tracks.length < 2 ? [] : tracks.map((track) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = track + 1;
      button.setAttribute("aria-pressed", track === this.chosen);
      button.addEventListener("click", () => { this.chosen = track === this.chosen ? null : track; });
      return button;
    });
    this.find("faces").replaceChildren(...buttons);
    this.find("face_title").textContent = tracks.length ? (tracks.length > 1 ? `${tracks.length} faces` : "Face") : "No face seen";
  }
}

function largest(faces) {
  const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
  return faces.reduce((best, face) => (best === null || area(face) > area(best) ? face : best), null);
}
