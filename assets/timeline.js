// The timeline: one position, and every animated chart of the page put on it, without asking the server.
//
// Streamlit runs the default export once when the component is mounted and again whenever its data or the theme change,
// with the same parent element.  What must outlive both, and a rerun that mounts anew, lives in this module.

const STEP_EVENT = "backprop-clinic:step";
const MILLISECONDS_A_FRAME = 100;
const ANNOUNCE_AFTER = 500; // milliseconds of rest before the position is spoken
const NEAR = 300; // pixels: charts this close to the window are kept up to date
const ABOVE_CHARTS = 1002; // one more than Plotly's mode bar

// Streamlit's Plotly theme gives axis labels a pale grey, contrast 3.7 on white: here they have the page's text colour.
const INK = ".js-plotly-plot :is([class$=tick] text, text[class$=title], .annotation-text) { fill: currentColor !important }";

const positions = new Map(); // key -> {steps, index, jump}
const mounted = new WeakMap(); // parent element -> Timeline

// ---------------------------------------------------------------------------------------------------------- charts

// Puts charts on a step.  A chart is drawn when it is in sight, changed, and done with its last drawing.
class Charts {
  constructor() {
    this.step = null;
    this.known = new Map(); // chart -> {frame and data it was last drawn with, near, busy}
    this.plots = document.getElementsByClassName("js-plotly-plot"); // live
    this.sight = new IntersectionObserver((entries) => this.look(entries), { rootMargin: `${NEAR}px` });
    this.mutations = new MutationObserver(() => this.find());
    this.mutations.observe(document.body, { childList: true, subtree: true });
    this.find();
  }

  stop() {
    this.mutations.disconnect();
    this.sight.disconnect();
    this.known.clear();
  }

  // Resolves when every chart in sight shows the step.
  show(step) {
    this.step = step;
    return Promise.all([...this.known.keys()].map((chart) => this.draw(chart)));
  }

  find() {
    for (const chart of this.known.keys()) {
      if (!chart.isConnected) {
        this.sight.unobserve(chart);
        this.known.delete(chart);
      }
    }
    for (const chart of this.plots) {
      if (!this.known.has(chart) && chart.on) {
        const { top, bottom } = chart.getBoundingClientRect();
        this.known.set(chart, { near: top < window.innerHeight + NEAR && bottom > -NEAR, busy: false });
        // Whoever else draws (a resize, a change of theme, the first drawing itself) may bring back the base figure.
        chart.on("plotly_afterplot", () => this.draw(chart));
        this.sight.observe(chart);
        this.draw(chart);
      }
    }
  }

  look(entries) {
    for (const entry of entries) {
      const state = this.known.get(entry.target);
      if (state) {
        state.near = entry.isIntersecting;
        this.draw(entry.target);
      }
    }
  }

  async draw(chart) {
    const state = this.known.get(chart);
    if (!state || state.busy) return;
    state.busy = true;
    try {
      while (state.near && this.step !== null && isDrawn(chart)) {
        const frame = frameAt(chart, this.step);
        if (!frame || (state.frame === frame && state.data === chart.data)) break;
        Object.assign(state, { frame, data: chart.data });
        await apply(chart, frame);
      }
    } finally {
      state.busy = false;
    }
  }
}

// Not while someone else's drawing is under way, which throws in the midst of Plotly: its end will call again.
function isDrawn(chart) {
  return chart.isConnected && chart.calcdata;
}

// The latest frame at or before the step, else the first.
function frameAt(chart, step) {
  const frames = chart._transitionData?._frames ?? [];
  let best = frames[0];
  for (const frame of frames) if (Number(frame.name) <= step) best = frame;
  return best;
}

// Lays the frame over the chart's own traces and layout, and draws.  Plotly.animate does the same in twice the time, and
// Plotly.react alone would draw a whole map anew to move the line on it.
async function apply(chart, frame) {
  if (!frame.data?.length) return window.Plotly.relayout(chart, Object.fromEntries(leaves(frame.layout ?? {})));
  frame.data.forEach((part, place) => lay(chart.data[frame.traces[place]], part));
  lay(chart.layout, frame.layout ?? {});
  return window.Plotly.react(chart, chart.data, chart.layout);
}

// Attributes by their paths: [["yaxis.title.text", "loss"]].
function leaves(part, path = "") {
  return Object.entries(part).flatMap(([name, value]) =>
    isBranch(value) ? leaves(value, `${path}${name}.`) : [[path + name, value]],
  );
}

function lay(target, part) {
  for (const [name, value] of Object.entries(part)) {
    if (isBranch(value) && isBranch(target[name])) lay(target[name], value);
    else target[name] = value;
  }
}

// A dict with attributes of its own, not an array, and not an array that travels as base64.
function isBranch(value) {
  return Object.prototype.toString.call(value) === "[object Object]" && !("bdata" in value);
}

// -------------------------------------------------------------------------------------------------------- controls

class Timeline {
  constructor(root) {
    this.root = root;
    this.range = root.querySelector("input[type=range]");
    this.readout = root.querySelector(".readout");
    this.live = root.querySelector("[aria-live]");
    this.buttons = Object.fromEntries([...root.querySelectorAll("button")].map((one) => [one.name, one]));
    this.playing = null;
    this.charts = new Charts();
    this.resized = new ResizeObserver(() => stick(root.host.closest(".stElementContainer")));
    this.resized.observe(root.host);
    this.range.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.range.value));
    });
    const moves = {
      first: () => this.go(0),
      back: () => this.go(this.index - 1),
      play: () => (this.playing ? this.pause() : this.play()),
      forward: () => this.go(this.index + 1),
      last: () => this.go(this.steps.length - 1),
    };
    root.querySelector(".timeline").addEventListener("click", (event) => {
      const name = event.target.closest("button")?.name;
      if (!name) return;
      if (name !== "play") this.pause();
      moves[name]();
    });
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
  }

  stop() {
    this.pause();
    clearTimeout(this.announcement);
    document.removeEventListener("keydown", this.onKey);
    this.resized.disconnect();
    this.charts.stop();
  }

  // New data from the server: the position stays at its step where the steps changed.
  update({ key, steps, updates_total, jump }) {
    this.memory = positions.get(key) ?? { steps, index: steps.length - 1, jump: null };
    positions.set(key, this.memory);
    this.total = updates_total;
    let index = this.memory.index;
    if (String(steps) !== String(this.memory.steps)) {
      const wasLast = index === this.memory.steps.length - 1;
      index = wasLast ? steps.length - 1 : nearest(steps, this.memory.steps[index]);
    }
    this.memory.steps = steps;
    if (jump && String(jump[0]) !== this.memory.jump) {
      this.memory.jump = String(jump[0]);
      index = nearest(steps, jump[1]);
      this.pause();
    }
    this.range.max = steps.length - 1;
    this.go(index);
  }

  get steps() {
    return this.memory.steps;
  }

  get index() {
    return this.memory.index;
  }

  go(index) {
    const last = this.steps.length - 1;
    this.memory.index = Math.min(Math.max(index, 0), last);
    const step = this.steps[this.index];
    const moved = this.step !== undefined && this.step !== step;
    this.step = step;
    const words = `step ${step} of ${this.total}`;
    this.range.value = this.index;
    this.range.setAttribute("aria-valuetext", words);
    this.readout.textContent = words;
    this.buttons.first.disabled = this.buttons.back.disabled = this.index === 0;
    this.buttons.last.disabled = this.buttons.forward.disabled = this.index === last;
    this.buttons.play.disabled = last === 0;
    if (moved && !this.playing) this.announce(words);
    document.documentElement.dataset.backpropClinicStep = step;
    window.dispatchEvent(new CustomEvent(STEP_EVENT, { detail: { step } }));
    return this.charts.show(step);
  }

  announce(words) {
    clearTimeout(this.announcement);
    this.announcement = setTimeout(() => (this.live.textContent = words), ANNOUNCE_AFTER);
  }

  async play() {
    const turn = (this.playing = {});
    this.name("Pause");
    if (this.index === this.steps.length - 1) await this.go(0);
    while (this.playing === turn && this.index < this.steps.length - 1) {
      const pace = new Promise((done) => setTimeout(done, MILLISECONDS_A_FRAME));
      await Promise.all([this.go(this.index + 1), pace]);
    }
    if (this.playing === turn) this.pause();
  }

  pause() {
    if (!this.playing) return;
    this.playing = null;
    this.name("Play");
    this.announce(this.readout.textContent);
  }

  name(word) {
    this.buttons.play.setAttribute("aria-label", word);
    this.buttons.play.title = word;
  }

  // Space plays and pauses, from the range and from the page itself; elsewhere it keeps its meaning.
  key(event) {
    if (event.key !== " " || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = event.composedPath()[0];
    if (target !== this.range && target !== document.body) return;
    event.preventDefault();
    if (!this.buttons.play.disabled) this.playing ? this.pause() : this.play();
  }
}

// Charts further down the page are moved too, so the timeline goes along when the page scrolls: at the window's upper
// edge, or below Streamlit's header where that has something to click.
function stick(box) {
  const header = document.querySelector(".stAppHeader");
  const covers = header && getComputedStyle(header).pointerEvents !== "none";
  Object.assign(box.style, { position: "sticky", top: `${covers ? header.offsetHeight : 0}px`, zIndex: ABOVE_CHARTS });
}

function ink() {
  const style = document.createElement("style");
  style.textContent = INK;
  document.head.append(style);
}

function nearest(steps, step) {
  return steps.reduce((best, one, index) => (Math.abs(one - step) < Math.abs(steps[best] - step) ? index : best), 0);
}

ink();

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
