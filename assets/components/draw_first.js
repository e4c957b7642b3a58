// A curve to draw, by mouse, finger or keyboard, and then the measured one over it.
//
// Streamlit runs the default export once when the component is mounted and again whenever its data or the theme change,
// with the same parent element.  data: a Canvas of pages/text/draw_first.py, and what the networks are called; drawn and
// measured come after Compare.
// Heights are log10 of the values.

const SVG = "http://www.w3.org/2000/svg";
const STEPS_A_DECADE = 10, FEW_DECADES = 4, COARSE_STEPS = 4; // of the arrow keys; the latter on a long axis
const REACH = 16; // pixels, within which a press takes hold of the other network's curve
const MOST_LABELS = 7; // of the upright axis
const LABEL_WIDTH = 28; // pixels, of a number below the plot
const ROOM = { left: 46, right: 14, top: 22, bottom: 42 }; // pixels around the plot, of type of 16
const HEIGHT = [240, 0.4, 400]; // pixels: least, share of the window, most
const ABOVE = ".st-key-verdict, .st-key-stage"; // what grows late, and leaves the plot in stage view less room
const LEAST_ON_STAGE = 180, BELOW_ON_STAGE = 12; // pixels
const LECTURE = ".st-key-scene_question";
const REVEALED_IN = 1600; // milliseconds
const LANDED = 3000; // milliseconds, in which the page grows above the comparison
const AIR = 0.3, BEYOND = 12; // decades around what was measured, and that the axis grows for it at most

const memory = new Map(); // canvas -> what was drawn on it, which outlives another part or a remount
const mounted = new WeakMap(); // parent element -> Drawing
let asked = false; // Compare was pressed, and the comparison is on its way

class Drawing {
  constructor(root) {
    this.root = root;
    this.plot = root.querySelector(".plot");
    this.bar = root.querySelector(".bar");
    this.readout = root.querySelector(".readout");
    this.resized = new ResizeObserver(() => this.fit());
    for (const box of [root.querySelector(".draw"), ...document.querySelectorAll(ABOVE)]) this.resized.observe(box);
    root.querySelector("[name=again]").onclick = () => this.startOver();
    root.querySelector("[name=compare]").onclick = () => this.compare();
    this.plot.onpointerdown = (event) => this.press(event);
    this.plot.onpointermove = (event) => this.held && this.drag(event);
    this.plot.onpointerup = this.plot.onpointercancel = () => (this.held = null);
    this.plot.onkeydown = (event) => this.key(event);
    this.plot.onfocusin = (event) => this.follow(event.target);
  }

  // From the button that somebody has opened it with, which is gone; not in a lecture, where Page down leads on.
  takeKeyboard() {
    if (document.querySelector(LECTURE)) return;
    if (!navigator.userActivation?.hasBeenActive || document.activeElement !== document.body) return;
    this.root.getElementById(`handle_${this.active}_${this.at[this.active] ?? 0}`)?.focus({ preventScroll: true });
  }

  stop() {
    this.resized.disconnect();
  }

  update(bytes, send) {
    const text = new TextDecoder().decode(bytes);
    this.send = send;
    if (text === this.text) return;
    Object.assign(this, { text, data: JSON.parse(text) });
    this.open = !this.data.drawn;
    this.bar.hidden = !this.open;
    this.plot.classList.toggle("open", this.open);
    const names = Object.keys(this.data.points);
    if (this.open) {
      if (!memory.has(text)) memory.set(text, this.untouched());
      Object.assign(this, memory.get(text));
    } else {
      this.values = this.data.drawn;
    }
    this.active = names[0];
    this.at = {}; // network -> its point that the keyboard comes to
    const which = this.root.querySelector(".which");
    which.hidden = names.length < 2;
    which.replaceChildren(...names.map((who) => {
      const button = Object.assign(document.createElement("button"), { type: "button", name: who, className: who, textContent: this.data.names[who] });
      button.onclick = () => this.choose(who);
      return button;
    }));
    this.span();
    this.fit();
    if (this.open) this.choose(this.active);
    else this.reveal();
  }

  untouched() {
    const points = Object.entries(this.data.points);
    return {
      values: Object.fromEntries(points.map(([who, at]) => [who, at.map(() => this.data.level)])),
      moved: Object.fromEntries(points.map(([who]) => [who, new Set()])), // network -> points that were drawn
    };
  }

  startOver() {
    memory.set(this.text, this.untouched());
    Object.assign(this, memory.get(this.text));
    this.draw();
  }

  compare() {
    asked = true;
    this.send(Object.fromEntries(Object.entries(this.values).filter(([who]) => this.moved[who].size)));
  }

  choose(who) {
    this.active = who;
    for (const button of this.root.querySelectorAll(".which button")) button.setAttribute("aria-pressed", button.name === who);
    this.draw();
  }

  // The ends of the axes: what was measured is wholly in sight.
  span() {
    const measured = Object.values(this.data.measured ?? {});
    const logs = measured.flatMap(([, values]) => values).filter((value) => value > 0).map(Math.log10);
    const { low, high } = this.data;
    this.low = Math.max(Math.min(low, ...logs.map((one) => one - AIR)), low - BEYOND);
    this.high = Math.min(Math.max(high, ...logs.map((one) => one + AIR)), high + BEYOND);
    const across = [...Object.values(this.data.points).flat(), ...measured.flatMap(([at]) => at)];
    [this.first, this.last] = [Math.min(...across), Math.max(...across)];
  }

  fit() {
    if (!this.data) return;
    const width = this.root.querySelector(".draw").clientWidth;
    const root = getComputedStyle(document.documentElement);
    this.scale = parseFloat(root.fontSize) / 16;
    const [least, share, most] = HEIGHT;
    let height = Math.min(Math.max(share * window.innerHeight, least), most);
    const onStage = root.getPropertyValue("--backprop-clinic-stage");
    if (performance.now() - this.arrived < LANDED && !onStage) this.plot.scrollIntoView({ block: "nearest" });
    if (onStage) {
      const controls = document.querySelector(".st-key-controls, .st-key-controls_closed")?.offsetHeight ?? 0;
      const scrolled = document.querySelector(".stMain")?.scrollTop ?? 0;
      const below = this.open ? BELOW_ON_STAGE : BELOW_ON_STAGE + 24 * this.scale;
      height = Math.max(window.innerHeight - controls - this.plot.getBoundingClientRect().top - scrolled - below, LEAST_ON_STAGE);
    }
    if (!width || (width === this.width && Math.abs(height - this.height) < 1)) return;
    Object.assign(this, { width, height });
    this.plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.plot.setAttribute("height", height);
    this.draw();
  }

  get room() {
    return Object.fromEntries(Object.entries(ROOM).map(([side, pixels]) => [side, pixels * this.scale]));
  }

  x(at) {
    const { left, right } = this.room;
    const inset = REACH; // so that the handles at the ends are whole
    return left + inset + ((at - this.first) / (this.last - this.first || 1)) * (this.width - left - right - 2 * inset);
  }

  y(log) {
    const { top, bottom } = this.room;
    const inside = Math.min(Math.max(log, this.low), this.high);
    return top + ((this.high - inside) / (this.high - this.low)) * (this.height - top - bottom);
  }

  draw() {
    if (!this.width || !this.values) return;
    const focused = this.root.activeElement?.id;
    const names = Object.keys(this.data.points).filter((who) => this.values[who]);
    names.sort((one, other) => (one === this.active) - (other === this.active)); // over the others
    this.plot.replaceChildren(...this.axes(), ...names.map((who) => this.network(who)));
    this.name();
    if (!this.open) {
      this.plot.setAttribute("tabindex", -1);
      return this.drawKey();
    }
    if (focused?.startsWith("handle")) this.root.getElementById(focused)?.focus({ preventScroll: true });
    const ready = Object.values(this.moved).some((points) => points.size);
    this.root.querySelector("[name=compare]").disabled = !ready;
    this.root.querySelector("[name=again]").disabled = !ready;
    if (!ready) this.readout.textContent = `Draw along the plot, or move a ${this.data.point} with the arrow keys.`;
  }

  name() {
    this.plot.setAttribute("role", this.open ? "group" : "img");
    this.plot.setAttribute("aria-label", this.open ? `${this.data.up}, to be drawn. Left and right choose a ${this.data.point}, up and down move it.` : this.data.alt);
  }

  axes() {
    const { left, right, top, bottom } = this.room;
    const parts = [];
    const every = Math.ceil((Math.floor(this.high) - Math.ceil(this.low)) / MOST_LABELS) || 1;
    const near = this.high - this.low < FEW_DECADES ? [1, 3] : [1];
    for (let power = Math.floor(this.low / every) * every; power <= this.high; power += every) {
      for (const digit of every === 1 ? near : [1]) {
        const log = power + Math.log10(digit);
        if (log < this.low || log > this.high) continue;
        parts.push(made("line", { class: "grid", x1: left, x2: this.width - right, y1: this.y(log), y2: this.y(log) }));
        parts.push(made("text", { x: left - 6, y: this.y(log), "text-anchor": "end", "dominant-baseline": "central" }, label(power, digit)));
      }
    }
    const level = this.y(this.data.level);
    parts.push(made("line", { class: "level", x1: left, x2: this.width - right, y1: level, y2: level }));
    parts.push(made("text", { x: this.width - right, y: level - 14 * this.scale, "text-anchor": "end" }, this.data.level_name));
    parts.push(made("text", { x: 0, y: 12 * this.scale }, this.data.up));
    parts.push(made("text", { x: this.width - right, y: this.height - 6, "text-anchor": "end" }, this.data.across));
    const places = Object.values(this.data.points).sort((one, other) => other.length - one.length)[0];
    const apart = Math.ceil((places.length * LABEL_WIDTH * this.scale) / (this.width - left - right));
    places.forEach((at, index) => {
      if (index % apart === 0 || apart === 1) parts.push(made("text", { x: this.x(at), y: this.height - bottom + 20 * this.scale, "text-anchor": "middle" }, at));
    });
    return parts;
  }

  network(who) {
    const group = made("g", { class: who });
    const at = this.data.points[who];
    const line = at.map((one, index) => [this.x(one), this.y(this.values[who][index])]);
    const idle = this.open && !this.moved[who].size;
    if (!this.open) group.append(...this.measured(who, line));
    group.append(made("polyline", { class: `curve ${this.open ? "" : "drawn"} ${idle ? "idle" : ""}`, points: line.join(" ") }));
    line.forEach(([x, y], index) => {
      const fixed = this.data.fixed && index === line.length - 1;
      const handle = made("g", { transform: `translate(${x} ${y})`, class: fixed ? "fixed" : "" });
      const size = Math.min(7, 0.4 * Math.abs((line[1]?.[0] ?? x + 20) - line[0][0])) * this.scale;
      handle.append(mark(who, size));
      if (this.open && !fixed) this.slider(handle, who, index, size);
      group.append(handle);
    });
    return group;
  }

  slider(handle, who, index, size) {
    const value = this.values[who][index];
    handle.append(made("circle", { class: "ring", r: size + 4 }));
    const attributes = {
      role: "slider", id: `handle_${who}_${index}`, tabindex: (this.at[who] ?? 0) === index ? 0 : -1, "aria-orientation": "vertical",
      "aria-label": `${this.data.names[who].slice(2)}, ${this.data.point} ${this.data.points[who][index]}`,
      "aria-valuemin": this.data.low, "aria-valuemax": this.data.high, "aria-valuenow": value, "aria-valuetext": this.words(value),
    };
    for (const [name, text] of Object.entries(attributes)) handle.setAttribute(name, text);
  }

  words(log) {
    return this.data.fixed ? `${shareInWords(10 ** log)}, against the last hidden layer` : numberInWords(10 ** log);
  }

  // The measured curve, and the area between it and the drawn one.
  measured(who, line) {
    const [at, values] = this.data.measured[who];
    const parts = [], curve = made("g", { class: "found" });
    let piece = [];
    const end = () => {
      if (piece.length > 1) {
        const over = piece.map(([x]) => [x, heightAt(line, x)]);
        parts.unshift(made("polygon", { class: "gap", points: [...piece, ...over.reverse()].join(" ") }));
        curve.append(made("polyline", { class: "curve", points: piece.join(" ") }));
      }
      piece = [];
    };
    values.forEach((value, index) => {
      const x = this.x(at[index]);
      if (value > 0) piece.push([x, this.y(Math.log10(value))]);
      else end();
      if (value === 0) curve.append(made("path", { class: "zero", d: `M${x - 7} ${this.y(this.low) - 12}h14l-7 12z` }));
      else if (value > 0 && values.length <= this.width / 14) {
        const place = made("g", { transform: `translate(${x} ${this.y(Math.log10(value))})` });
        place.append(mark(who, 5 * this.scale, "measured"));
        curve.append(place);
      }
    });
    end();
    return [...parts, curve];
  }

  drawKey() {
    const names = Object.keys(this.values);
    this.root.querySelector(".key").innerHTML = names
      .map((who) => `<span class="${who}">${this.data.names[who]}: <svg viewBox="0 0 40 12"><path class="curve drawn" d="M2 6h36"/></svg>yours <svg viewBox="0 0 40 12"><path class="curve" d="M2 6h36"/></svg>measured</span>`)
      .join("");
  }

  reveal() {
    if (asked) {
      this.plot.focus({ preventScroll: true }); // the button that had the keyboard is gone
      this.arrived = performance.now();
    }
    asked = false;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const curve of this.plot.querySelectorAll(".found, .gap")) {
      curve.animate([{ clipPath: "inset(-20px 100% -20px -20px)" }, { clipPath: "inset(-20px)" }], { duration: REVEALED_IN, easing: "ease-in-out" });
    }
  }

  // Where a pointer is, in decades and in points of the active curve.
  place(event) {
    const box = this.plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const { top, bottom } = this.room;
    const log = this.high - ((y - top) / (this.height - top - bottom)) * (this.high - this.low);
    const far = this.data.points[this.active].map((at) => Math.abs(this.x(at) - x));
    return { x, y, log: Math.min(Math.max(log, this.data.low), this.data.high), index: far.indexOf(Math.min(...far)) };
  }

  press(event) {
    if (!this.open || event.button) return;
    event.preventDefault();
    this.plot.setPointerCapture(event.pointerId);
    const { x, y } = this.place(event);
    const near = (who) => this.data.points[who].some((at, index) => Math.hypot(this.x(at) - x, this.y(this.values[who][index]) - y) < REACH);
    const other = Object.keys(this.values).find((who) => who !== this.active && this.moved[who].size && near(who));
    if (other && !near(this.active)) this.choose(other);
    this.held = {};
    this.drag(event);
    this.root.getElementById(`handle_${this.active}_${this.at[this.active]}`)?.focus({ preventScroll: true });
  }

  // What a fast pointer has passed lies on the line between where it was and where it is.
  drag(event) {
    const { log, index } = this.place(event);
    const from = this.held.index === undefined ? { log, index } : this.held;
    const [first, last] = [Math.min(from.index, index), Math.max(from.index, index)];
    for (let at = first; at <= last; at += 1) {
      const share = index === from.index ? 1 : (at - from.index) / (index - from.index);
      this.set(at, from.log + share * (log - from.log));
    }
    this.held = { log, index };
    this.draw();
    this.tell(index);
  }

  set(index, log) {
    const values = this.values[this.active];
    if (this.data.fixed && index === values.length - 1) return;
    values[index] = Number(Math.min(Math.max(log, this.data.low), this.data.high).toFixed(2));
    this.moved[this.active].add(index);
    this.at[this.active] = index;
    this.fill();
  }

  // Points of the active curve that were not drawn: on the line between those that were, and level beyond them.
  fill() {
    const values = this.values[this.active];
    const known = [...this.moved[this.active], ...(this.data.fixed ? [values.length - 1] : [])].sort((one, other) => one - other);
    const line = known.map((at) => [at, values[at]]);
    values.forEach((_, at) => (values[at] = Number(heightAt(line, at).toFixed(2))));
  }

  tell(index) {
    const at = this.data.points[this.active][index];
    this.readout.textContent = `${this.data.names[this.active]}, ${this.data.point} ${at}: ${this.words(this.values[this.active][index])}`;
  }

  follow(target) {
    const [kind, who, index] = target.id?.split("_") ?? [];
    if (kind !== "handle") return;
    this.at[who] = Number(index);
    if (who !== this.active) this.choose(who);
    for (const one of this.plot.querySelectorAll(`[id^=handle_${who}_]`)) one.setAttribute("tabindex", one.id === target.id ? 0 : -1);
    this.tell(Number(index));
  }

  key(event) {
    const [kind, who, place] = event.target.id?.split("_") ?? [];
    if (kind !== "handle" || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(place), value = this.values[who][index];
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (along) {
      event.preventDefault();
      return this.root.getElementById(`handle_${who}_${index + along}`)?.focus();
    }
    const step = 1 / (this.data.high - this.data.low <= FEW_DECADES ? STEPS_A_DECADE : COARSE_STEPS);
    const moves = { ArrowUp: value + step, ArrowDown: value - step, PageUp: value + 1, PageDown: value - 1, Home: this.data.low, End: this.data.high, Enter: value, " ": value };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation(); // Page up and down lead a lecture on
    this.set(index, moves[event.key]);
    this.draw();
    this.tell(index);
  }
}

// Of a curve of points [x, y], between them too.
function heightAt(line, x) {
  const after = line.findIndex(([at]) => at >= x);
  if (after < 1) return line[after < 0 ? line.length - 1 : 0][1];
  const [[x0, y0], [x1, y1]] = [line[after - 1], line[after]];
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

// The network's own: a disc, or a diamond.
function mark(who, size, kind = "") {
  const name = `point ${kind}`;
  if (who === "patient") return made("circle", { class: name, r: size });
  const far = 1.25 * size;
  return made("path", { class: name, d: `M0 ${-far}L${far} 0L0 ${far}L${-far} 0z` });
}

function label(power, digit) {
  if (power >= -3 && power <= 4) return String(Number((digit * 10 ** power).toPrecision(1)));
  return `${digit > 1 ? `${digit}·` : ""}${powerOfTen(power)}`;
}

function made(kind, attributes, text) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let drawing = mounted.get(parentElement);
  if (!drawing) {
    drawing = new Drawing(parentElement);
    mounted.set(parentElement, drawing);
  }
  drawing.update(data, (values) => setTriggerValue("compare", values));
  drawing.takeKeyboard();
  return () => {
    mounted.delete(parentElement);
    drawing.stop();
  };
}
