// The timeline: one position, and every animated chart of the page put on it, without asking the server.
//
// Streamlit runs the default export once when the component is mounted and again whenever its data or the theme change,
// with the same parent element.  What must outlive both, and a rerun that mounts anew, lives in this module.

const STEP_EVENT = "backprop-clinic:step";
const MARK_EVENT = "backprop-clinic:mark";
const PREVIEW_EVENT = "backprop-clinic:preview"; // from the strip; detail: nothing where networks are shown that are trained
const PLAYING = 4000; // milliseconds from the first step to the last, at speed 1
const SPEEDS = [1, 4, 0.25];
const BEGINNING = 6, LONGER = 3; // the first frames, where most happens, and how much longer than others they stand
const LANDED = 3000; // milliseconds that who lands on a page waits at most until its first chart moves, or who jumps until it is there
const PARAMETER = "timeline"; // of the address; the end, where the timeline starts, has none
const ROOM_ABOVE_CHARTS = 100; // pixels: the timeline, and the charts' titles
const ROOM_BELOW = 48; // pixels, by which the page may still grow above them
const ABOVE_CHARTS = 1002; // one more than Plotly's mode bar

const positions = new Map(); // key -> {steps, index, jump}
const mounted = new WeakMap(); // parent element -> Timeline

class Timeline extends Stepper {
  constructor(root) {
    super(root);
    this.readout = root.querySelector(".readout");
    this.speed = SPEEDS[0];
    this.resized = new ResizeObserver(() => stick(root.host.closest(".stElementContainer")));
    this.resized.observe(root.host);
    this.buttons.speed.addEventListener("click", () => this.nextSpeed());
    this.onAddress = () => this.write(); // the server does not know of the position, and writes addresses without it
    window.navigation?.addEventListener("currententrychange", this.onAddress);
    this.onPreview = ({ detail }) => {
      this.previewing = Boolean(detail);
      this.showStep();
    };
    window.addEventListener(PREVIEW_EVENT, this.onPreview);
  }

  stop() {
    super.stop();
    window.navigation?.removeEventListener("currententrychange", this.onAddress);
    window.removeEventListener(PREVIEW_EVENT, this.onPreview);
    this.resized.disconnect();
  }

  // New data from the server: the position stays at its step where the steps changed.
  update({ key, steps, updates_total, start, jump, mark }) {
    const last = steps.length - 1;
    // Who comes to a page sees its training once, from the start; who asked for a step, or for little motion, sees that.
    const lands = !positions.has(key) && start === null && !jump && last > 0 && !calm();
    const from = lands ? 0 : start === null ? last : nearest(steps, start);
    this.memory = positions.get(key) ?? { steps, index: from, jump: null };
    positions.set(key, this.memory);
    this.total = updates_total;
    let index = this.memory.index;
    if (String(steps) !== String(this.memory.steps)) {
      const wasLast = index === this.memory.steps.length - 1 && !this.playing;
      index = wasLast ? last : nearest(steps, this.memory.steps[index]);
    }
    this.memory.steps = steps;
    if (jump && String(jump[0]) !== this.memory.jump) {
      this.memory.jump = String(jump[0]);
      index = nearest(steps, jump[1]);
      this.pause();
      showCharts().then(() => this.takeKeyboard());
    }
    this.range.max = steps.length - 1;
    if (JSON.stringify(mark) !== this.memory.mark) markLayers(mark); // what was marked by hand stays
    this.memory.mark = JSON.stringify(mark);
    this.go(index);
    if (lands) this.land();
    this.write();
  }

  // From a button that has led here and is gone, with the part that it was in.
  takeKeyboard() {
    if (document.activeElement === document.body) this.range.focus({ preventScroll: true });
  }

  get steps() {
    return this.memory.steps;
  }

  get index() {
    return this.memory.index;
  }

  get words() {
    return `step ${this.step} of ${this.total}`;
  }

  get parameter() {
    return [PARAMETER, this.index < this.last ? this.step : null];
  }

  go(index) {
    this.memory.index = Math.min(Math.max(index, 0), this.last);
    const before = this.step;
    this.step = this.steps[this.index];
    this.showPosition(this.words);
    this.showStep();
    if (before !== undefined && before !== this.step) this.announce();
    const drawn = [];
    const page = document.documentElement.dataset;
    if (page.backpropClinicStep === String(this.step)) return null;
    page.backpropClinicStep = this.step;
    window.dispatchEvent(new CustomEvent(STEP_EVENT, { detail: { step: this.step, drawn } }));
    return Promise.all(drawn);
  }

  // The position; while a setting is dragged the first one, since that is what is shown of networks not trained yet.
  showStep() {
    this.range.value = this.previewing ? 0 : this.index;
    this.readout.textContent = this.previewing ? `step 0 of ${this.total}` : this.words;
  }

  // Play as soon as there is a chart to move, unless somebody has moved the timeline before.
  async land() {
    const turn = (this.landing = {});
    const latest = performance.now() + LANDED;
    const step = this.step;
    while (!document.querySelector(".chart[data-version]") && performance.now() < latest) await nextFrame();
    if (this.landing === turn && this.step === step && !this.playing) this.play();
    this.landing = null;
  }

  // By the clock: a slow browser leaves frames out, and takes no longer.
  async play() {
    const turn = (this.playing = {});
    this.name("Pause");
    if (this.index === this.last) await this.go(0);
    let then = performance.now();
    let time = this.timeOf(this.index);
    while (this.playing === turn && this.index < this.last) {
      await nextFrame();
      const now = performance.now();
      time += ((now - then) * this.speed) / PLAYING;
      then = now;
      let index = this.index;
      while (index < this.last && this.timeOf(index + 1) <= time) index += 1;
      if (index > this.index && this.playing === turn) await this.go(index);
    }
    if (this.playing === turn) this.pause();
  }

  // When a frame's turn comes, as a share of the whole.
  timeOf(index) {
    const weighted = (frames) => frames + (LONGER - 1) * Math.min(frames, BEGINNING);
    return weighted(index) / weighted(this.last);
  }

  nextSpeed() {
    this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
    const words = this.speed === 0.25 ? "¼×" : `${this.speed}×`;
    this.buttons.speed.textContent = words;
    this.buttons.speed.setAttribute("aria-label", `Speed ${words}`);
  }
}

// Charts further down the page are moved too, so the timeline goes along when the page scrolls: at the window's upper
// edge, or below Streamlit's header where that has something to click.
function stick(box) {
  const header = document.querySelector(".stAppHeader");
  const covers = header && getComputedStyle(header).pointerEvents !== "none";
  const stage = box.closest(".st-key-stage"); // no box of its own, or the timeline would leave with it
  for (const around of stage ? [stage, stage.parentElement] : []) around.style.display = "contents";
  Object.assign(box.style, { position: "sticky", top: `${covers ? header.offsetHeight : 0}px`, zIndex: ABOVE_CHARTS });
}

// Who has jumped sees the first charts, below the timeline; they come only now where another part was open.
async function showCharts() {
  const latest = performance.now() + LANDED;
  let chart = null;
  while (!(chart = document.querySelector("[class*=st-key-card_] .chart[data-version]")) && performance.now() < latest) await nextFrame();
  if (chart) chart.style.scrollMarginBlock = `${ROOM_ABOVE_CHARTS}px ${ROOM_BELOW}px`;
  chart?.scrollIntoView({ block: "nearest" });
}

// What the charts mark: {network, spans of layers}, or nothing.
function markLayers(mark) {
  const page = document.documentElement.dataset;
  const marked = mark ? JSON.stringify(mark) : "";
  if ((page.backpropClinicMark ?? "") === marked) return;
  page.backpropClinicMark = marked;
  window.dispatchEvent(new CustomEvent(MARK_EVENT));
}

function nextFrame() {
  return new Promise((done) => requestAnimationFrame(done));
}

function nearest(steps, step) {
  return steps.reduce((best, one, index) => (Math.abs(one - step) < Math.abs(steps[best] - step) ? index : best), 0);
}

export default function ({ data, parentElement }) {
  let timeline = mounted.get(parentElement);
  if (!timeline) {
    timeline = new Timeline(parentElement);
    mounted.set(parentElement, timeline);
  }
  timeline.update(data);
  return () => {
    mounted.delete(parentElement);
    timeline.stop();
  };
}
