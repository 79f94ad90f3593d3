// A bar per blendshape, grouped as on a face, left and right beside each other. Names come from the server.

const GROUPS = [["Eyes", /^eye/], ["Brows", /^brow/], ["Jaw", /^jaw/], ["Mouth", /^mouth/], ["Cheeks, nose, tongue", /./]];

export class Shapes {
  constructor(root) {
    this.root = root;
    this.bars = [];
    this.names = "";
  }

  /** Builds the bars anew where the names have changed. */
  name(names) {
    if (names.join() === this.names) return;
    this.names = names.join();
    this.bars = names.map((name) => new Bar(name));
    const left = new Set(names.keys());
    this.root.replaceChildren(...GROUPS.map(([title, pattern]) => {
      const members = [...left].filter((index) => pattern.test(names[index]));
      members.forEach((index) => left.delete(index));
      return this.group(title, members.map((index) => this.bars[index]));
    }));
  }

  group(title, bars) {
    const rows = new Map();  // what both sides have in common -> the row's bars
    for (const bar of bars) rows.set(bar.stem, [...(rows.get(bar.stem) ?? []), bar]);
    const list = element("ul", "");
    for (const [stem, members] of rows) {
      const row = element("li", "");
      row.append(element("span", "name", words(stem)), ...members.map((bar) => bar.track));
      if (members.length === 1) members[0].track.classList.add("whole");
      list.append(row);
    }
    const section = element("section", "group");
    section.append(element("h3", "", title), list);
    return section;
  }

  /** weights: 0..1 in the order of the names, or null where no face is seen. */
  show(weights) { this.bars.forEach((bar, index) => bar.set(weights?.[index] ?? 0)); }
}

class Bar {
  constructor(name) {
    this.stem = name.replace(/(Left|Right)$/, "");
    this.track = element("span", "track");
    this.track.title = name;
    this.track.setAttribute("role", "meter");
    this.track.setAttribute("aria-label", name);
    this.track.setAttribute("aria-valuemin", 0);
    this.track.setAttribute("aria-valuemax", 100);
    this.fill = this.track.appendChild(element("span", "fill"));
    this.percent = -1;
    this.set(0);
  }

  set(weight) {
    const percent = Math.round(100 * weight);
    if (percent === this.percent) return;
    this.percent = percent;
    this.fill.style.transform = `scaleX(${percent / 100})`;
    this.track.setAttribute("aria-valuenow", percent);
  }
}

/** mouthRollLower -> "roll lower": the group already says which part of the face. */
function words(stem) {
  const rest = stem.replace(/^(eye|brow|jaw|mouth)/, "");
  return rest ? rest.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase() : "sideways";
}

function element(kind, name, text = "") {
  const made = document.createElement(kind);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}
