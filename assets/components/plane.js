// A plane to set points on, of two classes or of a curve: by mouse, finger or keyboard; erase, undo, clear.
//
// data: {points, kind, most}.  points is the text that the address has, see pages/components/laboratory/points.py: a
// point is two characters, across and up, after the digit of its class where there are classes.

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LAST = LETTERS.length - 1; // places along a side are counted from 0
const NEAR = 2.5; // places from a point that is erased
const APART = 3; // places between the points of a drag
const SEND_MS = 500; // after the last change
const STEP = 2; // places that an arrow moves the cross; with Shift as many times more
const FAR = 5;
const CLASSES = [["0", "■ A"], ["1", "▲ B"]];

const mounted = new WeakMap(); // parent element -> Plane

class Plane {
  constructor(root) {
    this.field = root.querySelector(".field");
    this.bar = root.querySelector(".buttons");
    this.spoken = root.querySelector(".spoken");
    this.points = [];
    this.before = []; // states to go back to
    this.cross = [LAST >> 1, LAST >> 1];
    this.tool = "0";
    this.bar.addEventListener("click", (event) => this.press(event.target.closest("button")?.dataset.do));
    this.field.addEventListener("pointerdown", (event) => this.down(event));
    this.field.addEventListener("pointermove", (event) => this.drag(event));
    for (const kind of ["pointerup", "pointercancel"]) this.field.addEventListener(kind, () => (this.last = null));
    this.field.addEventListener("keydown", (event) => this.key(event));
  }

  update(data, send) {
    this.send = send;
    const other = data.kind !== this.data?.kind;
    this.data = data;
    if (other) this.build();
    if (data.points !== this.sent) {
      // the address says something else than what was set here
      this.points = this.read(data.points);
      this.before = [];
      this.sent = data.points;
    }
    this.draw();
  }

  get ofClasses() {
    return this.data.kind === "classes";
  }

  read(text) {
    const size = this.ofClasses ? 3 : 2;
    return (text.match(new RegExp(`.{${size}}`, "g")) ?? []).map((part) => {
      const place = part.slice(-2);
      return { kind: this.ofClasses ? part[0] : "", x: LETTERS.indexOf(place[0]), y: LETTERS.indexOf(place[1]) };
    });
  }

  get text() {
    return this.points.map(({ kind, x, y }) => kind + LETTERS[x] + LETTERS[y]).join("");
  }

  build() {
    const tools = this.ofClasses ? CLASSES : [["0", "● Point"]];
    const buttons = [...tools, ["erase", "Erase"], ["undo", "Undo"], ["clear", "Clear"]];
    this.bar.innerHTML = buttons.map(([what, name]) => `<button type="button" data-do="${what}">${name}</button>`).join("");
    this.tool = "0";
    this.sent = null;
  }

  press(what) {
    if (what === "undo") this.undo();
    else if (what === "clear") this.change([]);
    else if (what) this.tool = what;
    this.draw();
  }

  place(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.field.getScreenCTM().inverse());
    return [x, LAST - y].map((value) => Math.min(Math.max(Math.round(value), 0), LAST));
  }

  down(event) {
    if (event.button) return;
    event.preventDefault();
    this.field.focus({ preventScroll: true });
    this.field.setPointerCapture(event.pointerId);
    this.last = this.cross = this.place(event);
    this.use();
  }

  drag(event) {
    if (!this.last) return;
    const place = this.place(event);
    if (Math.hypot(place[0] - this.last[0], place[1] - this.last[1]) < APART) return;
    this.last = this.cross = place;
    this.use();
  }

  // What the chosen tool does where the cross is.
  use(tool = this.tool) {
    const [x, y] = this.cross;
    if (tool === "erase") {
      const apart = (point) => Math.hypot(point.x - x, point.y - y);
      const nearest = this.points.toSorted((one, other) => apart(one) - apart(other))[0];
      if (nearest && apart(nearest) <= NEAR) this.change(this.points.filter((point) => point !== nearest));
      return;
    }
    if (this.points.length === this.data.most) {
      this.spoken.textContent = `There are ${this.data.most} points, as many as a link takes.`;
      return;
    }
    this.change([...this.points, { kind: this.ofClasses ? tool : "", x, y }]);
  }

  change(points) {
    this.before.push(this.points);
    this.points = points;
    this.after();
  }

  undo() {
    const points = this.before.pop();
    if (!points) return;
    this.points = points;
    this.after();
  }

  after() {
    this.draw();
    this.spoken.textContent = `${this.points.length} points`;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.sent = this.text;
      this.send(this.sent);
    }, SEND_MS);
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const [across, up] = moves[event.key] ?? [0, 0];
    if (across || up) {
      const by = STEP * (event.shiftKey ? FAR : 1);
      this.cross = [this.cross[0] + by * across, this.cross[1] + by * up].map((value) => Math.min(Math.max(value, 0), LAST));
    } else if (event.key === " " || event.key === "Enter") this.use();
    else if (event.key === "Delete" || event.key === "Backspace") this.use("erase");
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
    else if (this.ofClasses && (event.key === "1" || event.key === "2")) this.tool = String(event.key - 1);
    else return;
    event.preventDefault();
    this.draw();
  }

  draw() {
    const mark = ({ kind, x, y }) => {
      const up = LAST - y;
      if (kind === "1") return `<path class="b" d="M${x},${up - 1.2}l1.2,2.1h-2.4z"/>`;
      if (kind === "0") return `<rect class="a" x="${x - 0.9}" y="${up - 0.9}" width="1.8" height="1.8"/>`;
      return `<circle class="c" cx="${x}" cy="${up}" r="0.9"/>`;
    };
    const [x, y] = [this.cross[0], LAST - this.cross[1]];
    const half = LAST / 2;
    this.field.innerHTML =
      `<path class="middle" d="M0,${half}h${LAST}M${half},0v${LAST}"/>` +
      this.points.map(mark).join("") +
      `<path class="cross" d="M${x - 2},${y}h4M${x},${y - 2}v4"/>`;
    const counts = this.ofClasses ? CLASSES.map(([kind, name]) => `${this.points.filter((point) => point.kind === kind).length} ${name.slice(-1)}`) : [];
    this.field.setAttribute("aria-label", `Plane with ${this.points.length} points${counts.length ? `: ${counts.join(", ")}` : ""}`);
    for (const button of this.bar.children) {
      const what = button.dataset.do;
      if (what === "undo") button.disabled = !this.before.length;
      else if (what === "clear") button.disabled = !this.points.length;
      else button.setAttribute("aria-pressed", what === this.tool);
    }
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let plane = mounted.get(parentElement);
  if (!plane) {
    plane = new Plane(parentElement);
    mounted.set(parentElement, plane);
  }
  plane.update(data, (text) => setTriggerValue("points", text));
  return () => {
    clearTimeout(plane.waiting);
    mounted.delete(parentElement);
  };
}
