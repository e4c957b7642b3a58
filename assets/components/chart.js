// A Plotly chart: mounted once, then given new figures and the timeline's steps.  It is drawn once for each change.
//
// Streamlit's own chart is mounted anew with each new figure, which takes several times as long.
// Streamlit runs chart_place.js, and so `drawIn`, once when a chart's place is mounted and again whenever its data or the
// theme change, with the same parent element.  Charts in the window are drawn first; the others get a new figure when the
// browser has time, and the timeline's step when they come into sight.

const STEP_EVENT = "backprop-clinic:step"; // from the timeline; detail: {step, drawn: promises to wait for}
const PREVIEW_EVENT = "backprop-clinic:preview"; // from the strip; detail: error signals, or nothing: see strip.js
const MARK_EVENT = "backprop-clinic:mark"; // from the timeline: layers are marked, or none any more
const VERSION_BYTES = 16; // of the data: two equal ones are the same figure
const PLOTLY_POLL = 20; // milliseconds
// What grows late, above charts in stage view and below them, and leaves them less room.
const AROUND_ON_STAGE = ".st-key-lesson, .st-key-verdict, .st-key-stage, .st-key-controls, .st-key-controls_closed";
const LEAST = 220, BELOW_ON_STAGE = 8; // pixels: of a chart that takes the room there is, and of air below it in stage view
const LEFT = 60, BELOW = 48; // pixels: what labels and title of an axis take at most, but for unusual ones
const CUT = 2; // pixels that are not missed
const OUTSIDE = ".infolayer > :not(.annotation), .xaxislayer-above, .yaxislayer-above"; // titles, keys, labels: Plotly's names
const SLICE = 60; // milliseconds of drawing out of sight before the window gets its next frame

const CLEAR = "rgba(0,0,0,0)";
const FADED = 0.35; // opacity
const MARK_FILL = "rgba(128,128,128,0.18)";
const NETWORKS = ["--patient", "--treated"]; // colours of tokens.css: light-dark(…, …)
const DARK = 0.5; // lightness of the page below which it is dark, 0 to 1

// A picture is wide enough for every legend, whatever the window.  In pixels of its own, of which a PNG has SCALE each.
const PICTURE_WIDTH = 800;
const SCALE = 2;
const TITLE_ROOM = 44;
const AXIS_BELOW = 58; // that tick labels and title of the lowest axis take
const PICTURE_FONT = "Arial, Helvetica, sans-serif"; // a picture cannot bring the page's own, and would be laid out for it
const LINE = 17;
const LINE_CHARACTERS = 115;

const mounted = new WeakMap(); // parent element -> Chart
const far = []; // charts out of sight with a new figure
let theme = null; // what `themed` gave in this frame

class Chart {
  constructor(parent) {
    this.parent = parent;
    this.plot = parent.querySelector(".chart");
    this.screen = parent.querySelector(".chart-frame");
    this.listen();
    const { top, bottom } = this.plot.getBoundingClientRect();
    this.seen = top < window.innerHeight && bottom > 0;
    // A busy browser tells of several frames at once: the last is how it stands.
    this.sight = new IntersectionObserver((entries) => this.inSight(entries.at(-1).isIntersecting));
    this.sight.observe(this.plot);
    this.size = new ResizeObserver(() => this.resize());
    this.watched = new WeakSet();
    this.watch();
    this.onStep = ({ detail }) => detail.drawn.push(this.show());
    window.addEventListener(STEP_EVENT, this.onStep);
    this.onMark = () => this.mark();
    window.addEventListener(MARK_EVENT, this.onMark);
    this.onPreview = ({ detail }) => this.preview(detail);
    window.addEventListener(PREVIEW_EVENT, this.onPreview);
  }

  // The buttons that stand over the chart while it is pointed at.
  listen() {
    this.buttons = Object.fromEntries([...this.parent.querySelectorAll("button")].map((one) => [one.name, one]));
    const { larger, png, svg } = this.buttons;
    larger.hidden = !this.screen.requestFullscreen; // iPhones lack it
    larger.onclick = () => (document.fullscreenElement ? document.exitFullscreen() : this.screen.requestFullscreen());
    png.onclick = () => this.save("png");
    svg.onclick = () => this.save("svg");
    this.plot.tabIndex = -1;
    this.plot.onpointerup = ({ pointerType }) => pointerType === "touch" && this.plot.focus({ preventScroll: true });
  }

  // The boxes on whose sizes its own hangs; some come after it, or in another's place.
  watch() {
    for (const box of [this.plot, ...document.querySelectorAll(AROUND_ON_STAGE)]) {
      if (this.watched.has(box)) continue; // it would be told of it once more
      this.watched.add(box);
      this.size.observe(box);
    }
  }

  stop() {
    this.sight.disconnect();
    this.size.disconnect();
    window.removeEventListener(STEP_EVENT, this.onStep);
    window.removeEventListener(MARK_EVENT, this.onMark);
    window.removeEventListener(PREVIEW_EVENT, this.onPreview);
    // A drawing that is on its way comes to its end first: Plotly would go on with what is purged.
    Promise.allSettled([this.drawing, this.previewing]).then(() => window.Plotly?.purge(this.plot));
  }

  update(data) {
    const version = new TextDecoder().decode(data.subarray(0, VERSION_BYTES));
    const look = themed(this.parent);
    if (version !== this.version || look.dark !== this.look.dark) {
      const text = new TextDecoder().decode(data.subarray(VERSION_BYTES));
      const { figure, alt, config } = JSON.parse(look.dark ? lightened(text) : text);
      Object.assign(this, { version, figure, config, own_height: figure.layout.height, stale: true });
      this.plot.frames = figure.frames ?? [];
      this.plot.setAttribute("aria-label", alt);
      this.name(figure.layout.meta?.title ?? "this chart");
      this.plot.style.minHeight = `${this.height()}px`;
    }
    if (JSON.stringify(look) !== JSON.stringify(this.look)) Object.assign(this, { look, stale: true });
    if (!this.stale) return;
    if (this.seen) this.show();
    else whenIdle(this);
  }

  name(title) {
    const { larger, png, svg } = this.buttons;
    for (const [button, text] of [[larger, "Fill the screen with"], [png, "Save as PNG:"], [svg, "Save as SVG:"]]) {
      button.title = `${text} ${title}`;
      button.setAttribute("aria-label", button.title);
    }
  }

  inSight(seen) {
    this.seen = seen;
    this.show();
  }

  // Charts that have an axis of layers are drawn again.
  mark() {
    if (!this.figure?.layout.meta?.layer_axes) return;
    this.stale = true;
    this.show();
  }

  // Networks that have not been trained yet, while their depth is dragged: their error signals alone, before training.
  // A chart of anything else fades, since it still shows the networks before.
  async preview(signals) {
    const follows = this.figure?.layout.meta?.error_signals;
    this.plot.style.opacity = signals && !follows ? FADED : "";
    if (signals === false || !follows || !this.seen || !window.Plotly) return;
    Object.assign(this, { previewed: signals, stale: true });
    this.previewing ??= this.drawPreviews().finally(() => (this.previewing = null));
    await this.previewing;
    if (!signals) this.show();
  }

  // The latest is drawn when the one before it is.
  async drawPreviews() {
    while (this.previewed && this.plot.isConnected) {
      const { data, layout } = untrained(this.figure, this.previewed);
      this.previewed = null;
      await this.drawWithRoom(this.enlarged(data), this.fitted(layout));
    }
  }

  // Resolves when the chart, if in sight, shows its figure at the timeline's step.
  show() {
    return this.seen ? this.draw() : null;
  }

  // One drawing at a time; what changes during it is drawn after it.
  draw() {
    this.again = true;
    this.drawing ??= this.drawAll().finally(() => (this.drawing = null));
    return this.drawing;
  }

  async drawAll() {
    while (!window.Plotly) await new Promise((done) => setTimeout(done, PLOTLY_POLL));
    while (this.again && this.plot.isConnected) {
      this.again = false;
      await this.drawOnce();
    }
  }

  async drawOnce() {
    const step = Number(document.documentElement.dataset.backpropClinicStep ?? Infinity);
    const frame = frameAt(this.plot.frames, step);
    if (!this.stale && frame === this.frame) return;
    const { data, layout } = this.figure;
    layout.shapes = this.figure.own_shapes ??= layout.shapes ?? [];
    if (frame) {
      frame.data.forEach((part, place) => lay(data[frame.traces[place]], decode(part)));
      lay(layout, frame.layout ?? {});
    }
    this.figure.own_shapes = layout.shapes;
    layout.shapes = [...layout.shapes, ...marks(layout)];
    const moves = !this.stale && frame; // what is drawn stands, but for what the frame sets
    Object.assign(this, { frame, stale: false });
    if (moves && !frame.data.length && this.scale === 1) {
      const shapes = layout.shapes;
      await window.Plotly.relayout(this.plot, { ...Object.fromEntries(leaves(frame.layout ?? {})), shapes });
    } else if (!moves || frame.layout || !moveTraces(this.plot, frame)) {
      await this.react();
    }
    Object.assign(this.plot.dataset, { version: this.version, step: frame?.name ?? "" });
  }

  // Draws the whole figure.
  async react() {
    const { data, layout } = this.figure;
    this.scale = typeScale();
    layout.template = this.look.template;
    this.color(layout);
    layout.width = this.plot.clientWidth;
    layout.height = this.height();
    this.plot.style.minHeight = `${layout.height}px`;
    const fitted = this.fitted(layout);
    const drawn = this.enlarged(data);
    const rows = this.rows ?? 1;
    await this.drawWithRoom(drawn, fitted);
    this.rows = rowsOfLegend(this.plot);
    // Plotly places a legend before it makes room for its rows: where there are more or fewer than before, once more.
    if (this.rows && this.rows !== rows) await this.drawWithRoom(drawn, fitted);
    if (!this.listening) this.plot.on("plotly_click", ({ points }) => this.open(points[0]?.customdata));
    this.listening = true;
    this.watch();
  }

  enlarged(data) {
    return this.scale === 1 ? data : data.map((trace) => enlargedTrace(trace, this.scale));
  }

  // The layout in type of the page's size, and in the room there is.
  fitted(layout) {
    const wide = this.wide(layout);
    const own = this.lowHeight();
    const { scale } = this;
    const lower = layout.height < own * scale && !roomOnFirstScreen(this.plot);
    const shown = lower ? withoutFootnotes(wide) : wide;
    const larger = scale === 1 ? shown : enlarged(shown, scale);
    if (layout.height === own) return larger;
    const panels = (own - wide.margin.t - wide.margin.b) * scale; // high, as the figure is made
    return withoutCrowdedTitles(withLabelsApart(withGapsInPlace(withKeysInPlace(larger, panels), panels)));
  }

  // Plotly draws all of a figure again where what stands around the panels needs more room than its margins leave.  So
  // they leave what nearly every axis needs; where that is too little, Plotly makes room from then on.
  async drawWithRoom(data, layout) {
    const { l, b } = layout.margin;
    const left = layout.yaxis?.visible === false ? 0 : LEFT * this.scale;
    const margin = { ...layout.margin, l: Math.max(l, left), b: Math.max(b, BELOW * this.scale), autoexpand: false };
    if (!this.expands) await window.Plotly.react(this.plot, data, { ...layout, margin }, this.config);
    this.expands ||= isCut(this.plot);
    if (this.expands) await window.Plotly.react(this.plot, data, layout, this.config);
  }

  // The layout with the small print in lines as wide as the chart, and how high the figure is then.
  wide(layout) {
    const left = layout.yaxis?.visible === false ? 0 : LEFT;
    return withWideFootnotes(layout, this.plot.clientWidth / typeScale() - left - BESIDE);
  }

  lowHeight() {
    const { layout } = this.figure;
    return this.own_height - (layout.margin.b - this.wide(layout).margin.b);
  }

  // What a click on a cell of a map leads to: the page with these parameters in its address.
  open(parameters) {
    if (!this.figure.layout.meta?.opens || !parameters) return;
    const to = new URL(location.href);
    for (const [name, value] of Object.entries(parameters)) to.searchParams.set(name, value);
    history.pushState({}, "", to);
    dispatchEvent(new PopStateEvent("popstate")); // as on Back
  }

  // On a dark page the pale middle of a scale is a dark one.
  color(layout) {
    const own = (this.figure.own_scales ??= {});
    for (const [axis, scale] of Object.entries(layout.meta?.dark_scales ?? {})) {
      own[axis] ??= layout[axis].colorscale;
      layout[axis].colorscale = this.look.dark ? scale : own[axis];
    }
  }

  // The chart as it stands, with what a reader needs who has only the picture: title, settings, step and link.
  async save(format) {
    await this.draw();
    const { data, layout } = this.figure;
    const { title = "Chart", note } = layout.meta ?? {};
    const step = this.plot.dataset.step;
    const lines = [note, step && `Step ${step}`, document.documentElement.dataset.backpropClinicLink ?? location.href].filter(Boolean).flatMap(wrapped).map(escaped);
    const below = Math.max(layout.margin.b, AXIS_BELOW) + LINE / 2;
    const text = { text: lines.join("<br>"), align: "left", font: { size: 12 }, showarrow: false };
    const place = { xref: "paper", x: 0, xanchor: "left", yref: "paper", y: 0, yanchor: "top", yshift: -below };
    const size = { width: PICTURE_WIDTH, height: this.own_height + TITLE_ROOM + LINE * (lines.length + 0.5) };
    const picture = {
      ...layout,
      ...size,
      font: { ...layout.font, family: PICTURE_FONT },
      margin: { ...layout.margin, t: layout.margin.t + TITLE_ROOM, b: below + LINE * lines.length, r: layout.margin.r + 8 },
      title: { text: `<b>${escaped(title)}</b>`, x: 0, xref: "paper", y: 1, yanchor: "top", pad: { t: 14 }, font: { size: 18 } },
      annotations: [...(layout.annotations ?? []), { ...text, ...place }],
    };
    const filename = [title, step && `step ${step}`].filter(Boolean).join(" ").toLowerCase().replace(/[^a-z0-9]+/g, "-");
    await window.Plotly.downloadImage({ data, layout: picture }, { format, ...size, scale: SCALE, filename });
  }

  resize() {
    const { width, height } = this.figure?.layout ?? {};
    if (!this.plot.clientWidth || !width) return;
    if (this.plot.clientWidth === width && this.height() === height && this.scale === typeScale()) return;
    this.stale = true;
    this.show();
  }

  height() {
    if (document.fullscreenElement === this.screen) return window.innerHeight;
    const own = Math.round(this.lowHeight() * typeScale());
    const room = onStage(this.plot) ? roomOnStage(this.plot) : roomOnFirstScreen(this.plot);
    if (room < LEAST * typeScale()) return own; // rather than squeeze it, the page scrolls
    return onStage(this.plot) ? room : Math.min(own, room + footnotes(this.wide(this.figure.layout)) * typeScale());
  }
}

// Whether anything around the panels reaches beyond the picture, but for a pixel or two of a last label.
function isCut(plot) {
  const { left, right, top, bottom } = plot.querySelector(".main-svg").getBoundingClientRect();
  const boxes = [...plot.querySelectorAll(OUTSIDE)].map((part) => part.getBoundingClientRect()).filter(({ width }) => width);
  return boxes.some((box) => Math.max(left - box.left, box.right - right, top - box.top, box.bottom - bottom) > CUT);
}

function rowsOfLegend(plot) {
  const heights = [...plot.querySelectorAll(".legend .traces")].map((entry) => /,([^)]*)/.exec(entry.getAttribute("transform"))?.[1]);
  return new Set(heights).size;
}

// Type in pixels grows with that of the page, which is larger in stage view or where a reader has set it so.
function typeScale() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

// In stage view the charts share what the window has left between the timeline and the controls.
function onStage(plot) {
  const root = getComputedStyle(document.documentElement);
  return root.getPropertyValue("--backprop-clinic-stage") && plot.closest(".st-key-lesson");
}

// A lesson's first charts keep within its first screen, where style.css says so; their small print may come below.
function roomOnFirstScreen(plot) {
  return parseFloat(getComputedStyle(plot).getPropertyValue("--backprop-clinic-room")) || 0;
}

function roomOnStage(plot) {
  const scrolled = document.querySelector(".stMain")?.scrollTop ?? 0;
  const controls = document.querySelector(".st-key-controls, .st-key-controls_closed")?.offsetHeight ?? 0;
  return Math.round(window.innerHeight - controls - (plot.getBoundingClientRect().top + scrolled) - BELOW_ON_STAGE);
}

// Charts out of sight, one after the other, while the browser has nothing else to do.
function whenIdle(chart) {
  if (far.includes(chart)) return;
  far.push(chart);
  if (far.length === 1) next();
}

async function next() {
  // Not before those in sight have been drawn.
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  const start = performance.now();
  while (far.length && performance.now() - start < SLICE) {
    const chart = far[0];
    if (chart.plot.isConnected && chart.stale) await chart.draw();
    far.shift();
  }
  if (far.length) next();
}

// What the page's light or dark theme gives to a chart: the colours that figures leave open, and the font.
function themed(element) {
  if (theme) return theme;
  requestAnimationFrame(() => (theme = null)); // the same for all charts that change together
  const style = getComputedStyle(element);
  const [ink, paper, family] = ["text-color", "background-color", "font"].map((name) => style.getPropertyValue(`--st-${name}`).trim());
  const font = { color: ink, family };
  const grid = mixed(ink, paper, 0.16);
  const axis = { color: ink, gridcolor: grid, linecolor: grid, tickcolor: grid, zerolinecolor: grid };
  const hoverlabel = { bgcolor: paper, bordercolor: grid, font };
  const layout = { paper_bgcolor: paper, plot_bgcolor: CLEAR, font, xaxis: { ...axis, showgrid: false }, yaxis: axis, hoverlabel };
  // A boundary on a map of probabilities.
  const data = { contour: [{ line: { color: ink } }] };
  theme = { template: { data, layout }, dark: lightness(paper) < DARK };
  return theme;
}

// A figure for a dark page: its networks in the lighter colours of tokens.css, which their names beside it have too.
function lightened(text) {
  const tokens = getComputedStyle(document.documentElement);
  return NETWORKS.reduce((figure, name) => {
    const [pale, dark] = tokens.getPropertyValue(name).match(/#\w{6}/g) ?? [];
    return dark ? figure.replaceAll(pale, dark) : figure;
  }, text);
}

function lightness(color) {
  const parts = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
  return Math.max(...parts) / 2 + Math.min(...parts) / 2;
}

// Lines of text; what has no spaces, as an address, is cut anywhere.
function wrapped(text) {
  return text.match(new RegExp(`\\S{${LINE_CHARACTERS}}|.{1,${LINE_CHARACTERS}}(?=\\s|$)`, "g"))?.map((line) => line.trim()) ?? [];
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

// Between two colours that are written #rrggbb; the first where they are written otherwise.
function mixed(one, other, share) {
  if (!/^#[0-9a-f]{6}$/i.test(one) || !/^#[0-9a-f]{6}$/i.test(other)) return one;
  const part = (color, at) => parseInt(color.slice(at, at + 2), 16);
  return "#" + [1, 3, 5].map((at) => Math.round(share * part(one, at) + (1 - share) * part(other, at)).toString(16).padStart(2, "0")).join("");
}

function drawIn({ data, parentElement }) {
  let chart = mounted.get(parentElement);
  if (!chart) {
    chart = new Chart(parentElement);
    mounted.set(parentElement, chart);
  }
  chart.update(data);
  return () => {
    mounted.delete(parentElement);
    chart.stop();
  };
}

export default function () {
  window.backpropClinicChart ??= drawIn; // of all pages; it stays when this component goes
}
