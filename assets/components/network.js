// The network as a graph, and the phases of one update: forward, loss, backward, update.  Moves without the server.
//
// Streamlit runs the default export once when the component is mounted and again whenever its data or the theme change,
// with the same parent element.  The phase outlives both.  data: see pages/walkthrough/network_graph.py.

const SVG = "http://www.w3.org/2000/svg";
const MILLISECONDS_A_PHASE = 1600;
const LANDING = 4000; // milliseconds in which who comes to a network sees all its phases, once
const NARROW = 440; // pixels: below, layers lie above each other
const SPACING = [0, 140, 140, 112, 92, 76, 64]; // pixels from unit to unit, by the most units of a layer
const ROOM = 110, MUCH_ROOM = 190; // pixels between two units that a number on their arrow needs; on one of many
const FEW_LABELS = 4, MOST_LABELS = 9; // arrows between two layers that all carry their number; where there is room
const THIN = 1.2, THICK = 6; // pixels, by size against the largest of the phase
const FEW_BESIDE = 3; // the same where they meet in one unit, and layers lie above each other
const TYPE = 16; // pixels: the size of the type that all lengths here are made for
const CHARACTER = 7; // pixels, of a number on an arrow
const DIGITS = 4, FEW_DIGITS = 2; // significant, on screen; where there is little room
const SMALL = 27; // pixels: the radius of a unit with little room

const phases = new Map(); // key -> name of the phase
const mounted = new WeakMap(); // parent element -> Network

class Network extends Stepper {
  constructor(root) {
    super(root);
    this.box = root.querySelector(".network");
    this.picture = root.querySelector(".picture");
    this.pills = [...root.querySelectorAll(".phases button")];
    this.caption = root.querySelector(".caption");
    for (const pill of this.pills) {
      const first = () => this.steps.findIndex(({ phase }) => phase === pill.dataset.phase);
      pill.addEventListener("click", () => this.byHand(first()));
    }
    this.picture.addEventListener("click", (event) => this.choose(event.target.closest("[data-look]")));
    this.picture.addEventListener("keydown", (event) => this.key(event));
    this.size = new ResizeObserver(() => this.picture.clientWidth !== this.drawn && this.data && this.draw());
    this.size.observe(this.picture);
  }

  stop() {
    super.stop();
    this.size.disconnect();
  }

  update(data, look) {
    this.look = look;
    const underWay = this.landing && this.data.key === data.key;
    this.data = data;
    this.steps = data.steps;
    this.range.max = this.last;
    const wanted = nearest(this.steps, phases.get(data.key) ?? data.start);
    if (!underWay) this.index = Math.max(this.steps.indexOf(wanted), 0);
    this.box.toggleAttribute("data-dark", isDark(this.root));
    if (!underWay) this.landing = null;
    this.write(); // the server does not know of the phase, and may just have written the address without it
    this.draw();
    if (underWay) return;
    const lands = !phases.has(data.key) && !data.start && !calm();
    phases.set(data.key, this.step.name);
    if (lands) this.land();
  }

  get step() {
    return this.steps[this.index];
  }

  // All phases once, then back to the first, which is where one begins by hand.  Whatever is pressed ends it.
  async land() {
    const turn = (this.landing = {});
    const pause = LANDING / this.steps.length;
    const ended = () => {
      if (this.landing !== turn) return;
      this.landing = null;
      phases.set(this.data.key, this.step.name);
    };
    for (const pressed of ["pointerdown", "keydown"]) addEventListener(pressed, ended, { once: true, capture: true });
    for (let index = 1; index <= this.steps.length; index += 1) {
      await new Promise((done) => setTimeout(done, pause));
      if (this.landing !== turn) return;
      this.index = index % this.steps.length;
      this.paint(index < this.steps.length);
    }
    this.landing = null;
  }

  get words() {
    return `${this.step.title}. ${this.caption.textContent}`;
  }

  get parameter() {
    return ["phase", this.index ? this.step.name : null];
  }

  go(index) {
    this.index = Math.min(Math.max(index, 0), this.last);
    phases.set(this.data.key, this.step.name);
    this.paint(true);
    this.announce();
  }

  async play() {
    const turn = (this.playing = {});
    this.name("Pause");
    if (this.index === this.last) this.go(0);
    else this.paint(true);
    while (this.playing === turn && this.index < this.last) {
      await new Promise((done) => setTimeout(done, MILLISECONDS_A_PHASE));
      if (this.playing === turn) this.go(this.index + 1);
    }
    if (this.playing === turn) this.pause();
  }

  // Arrow keys walk from unit to unit, Enter looks at one: one stop of the tab key for the whole picture.
  key(event) {
    const unit = event.target.closest(".unit, .layer");
    if (!unit) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(unit);
      return;
    }
    const upright = this.narrow ? { ArrowUp: "ArrowLeft", ArrowDown: "ArrowRight", ArrowLeft: "ArrowUp", ArrowRight: "ArrowDown" } : {};
    const [layers, units] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[upright[event.key] ?? event.key] ?? [0, 0];
    if (!layers && !units) return;
    event.preventDefault();
    const [column, row] = unit.dataset.at.split(" ").map(Number);
    const there = Math.min(Math.max(column + layers, 1), this.data.columns.length - 1);
    const last = this.data.columns[there].units.length - 1;
    const next = this.picture.querySelector(`[data-at="${there} ${Math.min(Math.max(row + units, -1), last)}"]`);
    for (const one of this.picture.querySelectorAll("[tabindex]")) one.setAttribute("tabindex", one === next ? 0 : -1);
    next.focus();
  }

  choose(element) {
    if (element) this.look(JSON.parse(element.dataset.look));
  }

  // Everything at its place; what it says and how it looks depends on the phase, see paint.
  draw() {
    const { columns, edges } = this.data;
    // In units that grow with the type: on a projector all is larger.
    this.scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / TYPE;
    this.drawn = this.picture.clientWidth;
    this.width = this.drawn / this.scale;
    if (!this.width) return;
    this.narrow = this.width < NARROW;
    const most = Math.max(...columns.map(({ units }) => units.length));
    const focused = this.picture.getRootNode().activeElement?.dataset?.at;
    const place = this.placed(most);
    this.picture.replaceChildren();
    this.edges = edges.map((edge) => this.edge(edge, place));
    this.units = columns.flatMap((column, at) => column.units.map((unit, row) => this.unit(column, unit, at, row, place)));
    this.picture.append(...this.picture.querySelectorAll(".edge.chosen")); // its number over all units
    columns.forEach((column, at) => this.heading(column, at, place));
    columns.slice(1).forEach((column, at) => {
      const skipped = column.layer - columns[at].layer - 1;
      if (!skipped) return;
      const [here, there] = [place(at, 0, 1), place(at + 1, 0, 1)];
      const middle = [(here[0] + there[0]) / 2, (here[1] + there[1]) / 2];
      const [count, what] = [`${skipped} more`, skipped > 1 ? "layers" : "layer"];
      const words = ["⋯", ...(this.narrow ? [`${count} ${what}`] : [count, what])];
      words.forEach((word, line) => this.text(this.picture, middle[0], middle[1] + 17 * (line - 1), word));
    });
    this.total = this.text(this.picture, ...this.lossAt, "", "total");
    this.total.style.textAnchor = this.narrow ? "middle" : "end";
    const find = (what) => this.picture.querySelector(what);
    const stop = find(`[data-at="${focused}"]`) ?? find(".unit.chosen") ?? find(".unit:not(.given)");
    stop.setAttribute("tabindex", 0);
    if (focused) stop.focus();
    this.paint(false);
  }

  // place(column, row, of): pixels of a unit; row −1 is the layer's heading.
  placed(most) {
    const { columns } = this.data;
    const last = columns.length - 1;
    if (this.narrow) {
      const between = 140, top = 62;
      const step = (n) => Math.min(this.width / n, 150);
      this.radius = Math.min(28, step(most) / 2 - 4);
      this.crowded = this.tight = step(most) < 80;
      this.small = this.radius < SMALL;
      this.height(top + last * between + this.radius + 58);
      this.lossAt = [this.width / 2, top + last * between + this.radius + 44];
      return (column, row, of) => [this.width / 2 + (row < 0 ? 0 : (row - (of - 1) / 2) * step(of)), top + column * between - (row < 0 ? this.radius + 22 : 0)];
    }
    const step = SPACING[most], side = 58, top = 34;
    this.radius = Math.min(30, step / 2 - 7, ((this.width - 2 * side) / last) * 0.26);
    this.crowded = step < 85; // no room for a note below a unit
    this.tight = step < 105; // nor for one above
    this.small = this.radius < SMALL;
    const bottom = top + Math.max(most, 1.4) * step;
    this.foot = bottom + 8;
    this.height(bottom + 42);
    this.lossAt = [this.width - 4, bottom + (columns.some(({ more }) => more) ? 30 : 22)]; // below "+ 10 more"
    return (column, row, of) => [side + (column * (this.width - 2 * side)) / last, row < 0 ? 12 : top + (bottom - top) / 2 + (row - (of - 1) / 2) * step];
  }

  height(pixels) {
    this.picture.setAttribute("height", pixels * this.scale);
    this.picture.setAttribute("viewBox", `0 0 ${this.width} ${pixels}`);
  }

  edge(edge, place) {
    const { columns, edges, selected } = this.data;
    const to = columns.findIndex(({ layer }) => layer === edge.layer);
    const [source, unit] = [columns[to - 1], columns[to]].map(({ units }, part) => units.findIndex((one) => one.unit === [edge.source, edge.unit][part]));
    const [x1, y1] = place(to - 1, source, columns[to - 1].units.length);
    const [x2, y2] = place(to, unit, columns[to].units.length);
    const length = Math.hypot(x2 - x1, y2 - y1), [along, down] = [(x2 - x1) / length, (y2 - y1) / length];
    const path = `M${x1 + along * this.radius} ${y1 + down * this.radius}L${x2 - along * this.radius} ${y2 - down * this.radius}`;
    const group = this.group("edge", { layer: edge.layer - 1, unit: edge.unit, source: edge.source });
    const isChosen = selected[0] === edge.layer && selected[1] === edge.unit && selected[2] === edge.source;
    group.classList.toggle("chosen", isChosen);
    const [halo, line, pulse, hit] = ["halo", "line", "pulse", "hit"].map((name) => this.add(group, "path", { class: name, d: path }));
    pulse.setAttribute("pathLength", 1);
    const beside = edges.filter(({ layer }) => layer === edge.layer).length;
    const gap = Math.abs(this.narrow ? y2 - y1 : x2 - x1);
    const fan = [to - 1, to].some((column) => columns[column].units.length === 1); // its arrows do not cross
    const few = this.narrow && fan ? FEW_BESIDE : FEW_LABELS;
    const roomy = beside <= few ? gap > ROOM : beside <= MOST_LABELS && gap > MUCH_ROOM && !this.narrow;
    const looked = selected[0] === edge.layer && selected[1] === edge.unit && [null, edge.source].includes(selected[2]);
    const labelled = roomy || (looked && !this.small);
    const slanted = Math.sign(source - unit);
    const side = beside <= FEW_LABELS ? 0.36 : beside <= MOST_LABELS ? 0.26 : 0.5;
    const part = beside === 1 || (fan && this.narrow) ? 0.5 : this.narrow ? 0.5 + 0.2 * slanted : side;
    const label = labelled && this.text(group, x1 + (x2 - x1) * part, y1 + (y2 - y1) * part, "", "number");
    const room = this.narrow && beside > 1 ? 0 : length - 2 * this.radius;
    return { edge, group, line, pulse, label, room, title: this.add(group, "title", {}) };
  }

  unit(column, unit, at, row, place) {
    const [x, y] = place(at, row, column.units.length), r = this.radius;
    const given = column.layer === 0;
    const group = this.group("unit", given ? null : { layer: column.layer - 1, unit: unit.unit });
    group.dataset.at = `${at} ${row}`;
    if (given) group.classList.add("given");
    else {
      const { selected } = this.data;
      const isChosen = selected[0] === column.layer && selected[1] === unit.unit;
      group.classList.toggle("chosen", isChosen);
      for (const [name, value] of Object.entries({ role: "button", tabindex: -1, "aria-pressed": isChosen })) group.setAttribute(name, value);
    }
    this.add(group, "circle", { class: "halo", cx: x, cy: y, r: r + 5 });
    const disc = this.add(group, "circle", { class: "disc", cx: x, cy: y, r });
    const inside = this.text(group, x, y, "", "inside");
    const above = this.tight ? null : this.text(group, x, y - r - 15, "", "note");
    const below = this.text(group, x, y + r + (this.crowded ? 9 : 15), "", "note");
    return { column, unit, group, disc, inside, above, below, title: this.add(group, "title", {}) };
  }

  heading(column, at, place) {
    const group = this.group("layer", column.layer ? { layer: column.layer - 1 } : null);
    const [x, y] = place(at, -1, 1);
    const name = this.narrow && column.more ? `${column.name} (+ ${column.more} not drawn)` : column.name;
    this.text(group, this.narrow ? 0 : x, y, name, "name").style.textAnchor = this.narrow ? "start" : "middle";
    if (column.more && !this.narrow) this.text(group, x, this.foot, `+ ${column.more} more`, "more");
    group.classList.toggle("given", !column.layer);
    if (!column.layer) return;
    group.dataset.at = `${at} -1`;
    for (const [name, value] of Object.entries({ role: "button", tabindex: -1, "aria-label": `The whole ${column.name}` })) group.setAttribute(name, value);
  }

  group(name, look) {
    const group = this.add(this.picture, "g", { class: name });
    if (look) group.dataset.look = JSON.stringify(look);
    return group;
  }

  add(parent, tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    parent.append(element);
    return element;
  }

  text(parent, x, y, words, name = "note") {
    const text = this.add(parent, "text", { x, y, class: name });
    text.textContent = words;
    return text;
  }

  // The quantities of the phase at their places.
  paint(moved) {
    const { phase, layer, title, caption, name } = this.step;
    const { loss, new_loss } = this.data;
    this.box.dataset.phase = name;
    this.showPosition(`${title}, ${this.index + 1} of ${this.steps.length}`);
    for (const pill of this.pills) {
      if (pill.dataset.phase === phase) pill.setAttribute("aria-current", "step");
      else pill.removeAttribute("aria-current");
    }
    this.caption.querySelector("strong").textContent = `${title}.`;
    this.caption.querySelector("span").textContent = caption;
    const known = { forward: "", loss: `loss L = ${digits(loss)}`, backward: `loss L = ${digits(loss)}`, update: `L = ${digits(loss)} → ${digits(new_loss)}` };
    this.total.textContent = known[phase];
    this.add(this.total, "title", {}).textContent = `L ${loss}` + (phase === "update" ? `, after the update ${new_loss}` : "");
    this.total.style.fontWeight = phase === "loss" || phase === "update" ? 700 : 400;
    if (phase !== "backward" && phase !== "forward") this.total.style.fontSize = "1.1em";

    const shownEdges = this.edges.map(({ edge }) => sizeOf(edge, phase, layer));
    const largest = Math.max(...shownEdges.filter((one) => one !== null).map(Math.abs).filter(Number.isFinite), 0);
    this.edges.forEach((drawn, place) => this.paintEdge(drawn, shownEdges[place], largest, phase, layer, moved));
    for (const drawn of this.units) this.paintUnit(drawn, phase, layer);
    this.legend(phase, layer);
  }

  paintEdge({ edge, group, line, pulse, label, room, title }, size, largest, phase, layer, moved) {
    const active = (phase === "forward" || phase === "backward") && edge.layer === layer;
    const idle = size === null;
    line.classList.toggle("idle", idle || size === 0);
    line.classList.toggle("negative", !idle && size < 0);
    line.style.strokeWidth = `${idle || !largest ? THIN : THIN + (THICK - THIN) * (Math.abs(size) / largest)}px`;
    line.style.opacity = idle ? 0.5 : active || phase === "update" ? 1 : 0.65;
    const labels = { forward: () => digits(edge.weight), loss: () => "", backward: () => digits(edge.gradient), update: () => `${digits(edge.weight)} → ${digits(edge.new)}` };
    if (label) {
      label.textContent = idle || (phase === "forward" && edge.layer !== layer) ? "" : labels[phase]();
      if (label.textContent.length * CHARACTER > room) label.textContent = label.textContent.replace(/^.* →/, "→");
    }
    const whole = `w ${edge.weight}, ∂L/∂w ${edge.gradient}, new w ${edge.new}`;
    title.textContent = `weight from unit ${edge.source + 1} to unit ${edge.unit + 1} of layer ${edge.layer}: ${whole}`;
    Object.assign(group.dataset, { weight: edge.weight, gradient: edge.gradient, new: edge.new });
    pulse.classList.remove("on");
    if (!moved || !active) return;
    pulse.getBoundingClientRect(); // so that the animation starts anew
    pulse.classList.toggle("backwards", phase === "backward");
    pulse.classList.add("on");
  }

  paintUnit({ column, unit, group, disc, inside, above, below, title }, phase, layer) {
    const at = column.layer, isLast = unit.target !== undefined;
    const state = { inside: "", above: "", below: "", size: null };
    if (at === 0) {
      Object.assign(state, { value: unit.out, size: phase === "forward" ? unit.out : null });
      if (!this.tight) state.above = `x${subscript(unit.unit + 1)}`;
    } else if (phase === "forward") {
      if (at <= layer) Object.assign(state, { value: unit.out, below: `z ${digits(unit.z)}`, size: unit.out });
      if (at === layer) state.above = `bias ${digits(unit.bias)}`;
    } else if (phase === "loss") {
      Object.assign(state, { value: unit.out, size: isLast ? unit.share : null });
      if (isLast) Object.assign(state, { below: `target ${digits(unit.target)}`, above: `share ${digits(unit.share)}` });
    } else if (phase === "backward" && at >= layer) {
      Object.assign(state, { value: unit.delta, size: unit.delta });
      if (unit.awake !== null) state.below = `${digits(unit.wrong)} × ${digits(unit.awake)}`;
      if (at === layer) state.above = "δ";
    } else if (phase === "update") {
      Object.assign(state, { value: unit.bias, below: unit.bias === unit.new_bias ? "" : `→ ${digits(unit.new_bias)}`, above: "bias", size: null });
    }
    const written = this.small ? (value) => digits(value, FEW_DIGITS) : digits;
    if (state.value !== undefined) state.inside = written(state.value);
    if (this.crowded && (this.small || !group.classList.contains("chosen"))) state.above = state.below = "";
    inside.textContent = state.inside;
    inside.style.fontSize = `${Math.min(15, (2 * this.radius - 6) / (0.56 * Math.max(state.inside.length, 4)))}px`;
    below.textContent = state.below;
    if (above) above.textContent = state.above;
    disc.classList.toggle("idle", state.size === null || state.size === 0);
    disc.classList.toggle("negative", state.size !== null && state.size < 0);
    disc.style.strokeWidth = `${state.size === null ? 1.5 : 3}px`;
    const where = at ? `unit ${unit.unit + 1} of ${column.name}` : `input ${unit.unit + 1}`;
    const numbers = at ? `a ${unit.out}, z ${unit.z}, δ ${unit.delta}, bias ${unit.bias}` + (isLast ? `, target ${unit.target}` : "") : unit.out;
    title.textContent = `${where}: ${numbers}`;
    if (at) group.setAttribute("aria-label", title.textContent);
  }

  // What is in the picture: arrows without room carry no number, and those with little of it a part.
  legend(phase, layer) {
    const inCircles = { forward: "a", loss: "a", backward: "δ", update: "the biases" }[phase];
    const byThickness = { forward: "w", backward: "∂L/∂w", update: "the change" }[phase];
    const due = this.edges.filter(({ edge }) => sizeOf(edge, phase, layer) !== null && (phase !== "forward" || edge.layer === layer));
    const numbers = due.map(({ label }) => label?.textContent).filter((text) => text);
    const changes = [];
    if (numbers.some((text) => !text.startsWith("→"))) changes.push("w → new w");
    if (numbers.some((text) => text.startsWith("→"))) changes.push("→ new w");
    let what = `in the circles ${inCircles}`;
    if (numbers.length) what += `, on ${numbers.length < due.length ? "some" : "the"} arrows ${phase === "update" ? changes.join(", or ") : byThickness}`;
    if (byThickness && (phase === "update" || !numbers.length)) what += `; lines: ${byThickness}`;
    const line = (name, words) => `<span class="sign"><svg aria-hidden="true" viewBox="0 0 32 8"><path class="line ${name}" d="M0 4H32" style="stroke-width:3px"/></svg>${words}</span>`;
    const signs = phase === "loss" ? "" : `${line("", "positive")} ${line("negative", "negative,")} thicker: larger.`;
    this.root.querySelector(".key").innerHTML = `Now ${what}.${signs} Click a unit, a weight or a layer’s name to see its calculation.${this.data.rule}`;
  }
}

// The number that sets an arrow's thickness in a phase; null where it has none yet.
function sizeOf(edge, phase, layer) {
  if (phase === "forward") return edge.layer <= layer ? Number(edge.weight) : null;
  if (phase === "backward") return edge.layer >= layer ? Number(edge.gradient) : null;
  return phase === "update" ? Number(edge.new) - Number(edge.weight) : null;
}

// So many significant digits: 0.1385, 4.386·10⁻⁴.
function digits(value, count = DIGITS) {
  const number = Number(value);
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "no number" : number > 0 ? "∞" : "−∞";
  if (number === 0) return "0";
  const [mantissa, power] = number.toExponential(count - 1).split("e");
  const exponent = Number(power);
  if (exponent < -3 || exponent > 4) return `${minus(mantissa)}·${powerOfTen(exponent)}`;
  return minus(String(Number(number.toPrecision(count))));
}

// The step of that name, or the same phase in the nearest layer that is drawn.
function nearest(steps, name = "") {
  const [phase, layer] = name.split("-");
  const same = steps.filter((step) => step.phase === phase);
  return same.sort((one, other) => Math.abs(one.layer - layer) - Math.abs(other.layer - layer))[0];
}

const minus = (text) => text.replace("-", "−");
const subscript = (number) => [...String(number)].map((one) => "₀₁₂₃₄₅₆₇₈₉"[one]).join("");

function isDark(element) {
  const color = getComputedStyle(element.host ?? element).getPropertyValue("--st-background-color").trim();
  return /^#[0-7]/.test(color);
}

export default function ({ data, parentElement, setTriggerValue }) {
  let network = mounted.get(parentElement);
  if (!network) {
    network = new Network(parentElement);
    mounted.set(parentElement, network);
  }
  network.update(data, (place) => setTriggerValue("look", place));
  return () => {
    mounted.delete(parentElement);
    network.stop();
  };
}
