// What a chart makes of a figure before it is drawn: larger, lower, without networks that are not trained, with marks.
//
// None of these functions changes the figure that it is given, but for `lay`.

const FOOTNOTES = "footnotes", NOTE_LINE = 19; // as in pages/charts/style/annotations.py
const BESIDE = 24; // pixels of air beside the small print
const MOST_TICKS = 5; // of a preview's axis
const APART = 8; // pixels between titles of axes
const MOST_GAPS = 0.6; // of the height, between panels
const LABEL_HEIGHT = 2; // of a power of ten, in sizes of its type
const DRAWN = ["textfont", "line", "marker", "error_x", "error_y"]; // parts of a trace
const IN_PIXELS = ["size", "width", "thickness"];

// A part of a layout with larger type and thicker lines, and with the distances in pixels that make room for them.
function enlarged(part, factor) {
  if (Array.isArray(part)) return part.map((one) => (isBranch(one) ? enlarged(one, factor) : one));
  const larger = { ...part };
  for (const [name, value] of Object.entries(part)) {
    if ((name === "font" || name === "tickfont") && value.size) larger[name] = { ...value, size: value.size * factor };
    else if (name === "margin") larger[name] = Object.fromEntries(Object.entries(value).map(([side, pixels]) => [side, pixels * factor]));
    else if (["xshift", "yshift", "standoff"].includes(name)) larger[name] = value * factor;
    else if (name === "line") larger[name] = grown(value, factor); // of a shape
    else if (name !== "template" && (Array.isArray(value) || isBranch(value))) larger[name] = enlarged(value, factor);
  }
  return larger;
}

// A trace whose text, lines and marks grow too.
function enlargedTrace(trace, factor) {
  const parts = DRAWN.filter((name) => trace[name]).map((name) => [name, grown(trace[name], factor)]);
  return { ...trace, ...Object.fromEntries(parts) };
}

// Sizes that are given for each point are left as they are.
function grown(part, factor) {
  const larger = { ...part };
  for (const [name, value] of Object.entries(part)) {
    if (IN_PIXELS.includes(name) && typeof value === "number") larger[name] = value * factor;
    else if (name === "line") larger[name] = grown(value, factor);
  }
  return larger;
}

// The small print below a chart, which is made for a narrow one, in lines as wide as it has room for, most often fewer:
// its height has to change as its lower margin does.  width: px, with type of the size it is made with.
function withWideFootnotes(layout, width) {
  const [notes] = (layout.annotations ?? []).filter(({ name }) => name === FOOTNOTES);
  if (!notes) return layout;
  const font = `${notes.font.size}px ${getComputedStyle(document.body).fontFamily}`;
  const made = notes.text.split("<br>"), lines = [];
  let ended = true; // a sentence begins a line of its own
  for (const line of made) {
    for (const word of line.split(" ")) {
      const longer = ended ? word : `${lines.at(-1)} ${word}`;
      if (ended || widthOf(longer, font) > width) lines.push(word);
      else lines[lines.length - 1] = longer;
      ended = false;
    }
    ended = line.endsWith(".");
  }
  const cut = made.some((line) => widthOf(line, font) > width + BESIDE);
  if (lines.length === made.length || (lines.length > made.length && !cut)) return layout;
  const annotations = layout.annotations.map((one) => (one === notes ? { ...one, text: lines.join("<br>") } : one));
  const b = layout.margin.b + NOTE_LINE * (lines.length - made.length);
  return { ...layout, annotations, margin: { ...layout.margin, b } };
}

const pen = document.createElement("canvas").getContext("2d");

function widthOf(text, font) {
  pen.font = font;
  return pen.measureText(text.replace(/<[^>]*>/g, "")).width;
}

// A chart that has less room than it is made for leaves out the small print below it.
function withoutFootnotes(layout) {
  const room = footnotes(layout);
  if (!room) return layout;
  const annotations = layout.annotations.filter(({ name }) => name !== FOOTNOTES);
  return { ...layout, annotations, margin: { ...layout.margin, b: layout.margin.b - room } };
}

// The height of the small print, in pixels.
function footnotes(layout) {
  const [notes] = (layout.annotations ?? []).filter(({ name }) => name === FOOTNOTES);
  return notes ? NOTE_LINE * notes.text.split("<br>").length : 0;
}

// Plotly places a legend or a scale of colours above or below the panels in shares of their height: where they are of
// another height, the distance in pixels stays, lest the key lies over an axis or a heading, or far from it.
function withKeysInPlace(layout, panels) {
  const now = layout.height - layout.margin.t - layout.margin.b;
  const edge = ({ y }) => (y > 1 ? 1 : y < 0 ? 0 : y);
  const at = (key) => ({ ...key, y: edge(key) + ((key.y - edge(key)) * panels) / now });
  const keys = {};
  if (layout.legend) keys.legend = at(layout.legend);
  for (const [name, axis] of Object.entries(layout)) {
    if (name.startsWith("coloraxis") && axis.colorbar) keys[name] = { ...axis, colorbar: at(axis.colorbar) };
  }
  return { ...layout, ...keys };
}

// Panels above each other are given in shares of the height, too: what stands between them keeps its room.
function withGapsInPlace(layout, panels) {
  const rows = Object.entries(layout).filter(([name, axis]) => name.startsWith("yaxis") && axis.domain);
  const edges = [...new Set([0, ...rows.flatMap(([, axis]) => axis.domain), 1])].sort((a, b) => a - b);
  const isRow = (low, high) => rows.some(([, { domain }]) => domain[0] <= low && high <= domain[1]);
  const parts = edges.slice(1).map((high, i) => ({ low: edges[i], high, row: isRow(edges[i], high) }));
  const gaps = parts.reduce((sum, { low, high, row }) => sum + (row ? 0 : high - low), 0);
  const wider = panels / (layout.height - layout.margin.t - layout.margin.b);
  if (!gaps || gaps * wider > MOST_GAPS) return layout;
  const stretch = (row) => (row ? (1 - gaps * wider) / (1 - gaps) : wider);
  const at = (y) => Math.min(1, parts.reduce((sum, { low, high, row }) => sum + stretch(row) * Math.max(0, Math.min(y, high) - low), 0));
  const moved = rows.map(([name, axis]) => [name, { ...axis, domain: axis.domain.map(at) }]);
  const annotations = layout.annotations?.map((one) => (one.yref === "paper" && one.y > 0 && one.y < 1 ? { ...one, y: at(one.y) } : one));
  return { ...layout, ...Object.fromEntries(moved), annotations };
}

// Where panels are lower than they are made for, a log axis has fewer labels.
function withLabelsApart(layout) {
  const high = layout.height - layout.margin.t - layout.margin.b;
  const axes = Object.entries(layout).filter(([name, axis]) => name.startsWith("yaxis") && axis.type === "log" && axis.dtick > 0);
  const fewer = axes.map(([name, axis]) => {
    const [[low, top], [from, to]] = [axis.range, axis.domain ?? [0, 1]];
    const most = (high * (to - from)) / (LABEL_HEIGHT * axis.tickfont.size);
    return [name, { ...axis, dtick: axis.dtick * Math.max(1, Math.ceil((top - low) / axis.dtick / most)) }];
  });
  return { ...layout, ...Object.fromEntries(fewer) };
}

// Where the titles of panels above each other would run together, the headings of the panels have to do.
function withoutCrowdedTitles(layout) {
  const high = layout.height - layout.margin.t - layout.margin.b;
  const titled = Object.entries(layout).filter(([name, axis]) => name.startsWith("yaxis") && axis.title?.text && axis.domain);
  const titles = titled.map(([name, axis]) => ({
    name,
    beside: axis.anchor,
    middle: ((axis.domain[0] + axis.domain[1]) / 2) * high,
    long: widthOf(axis.title.text, `${axis.title.font.size}px ${getComputedStyle(document.body).fontFamily}`),
  }));
  const meet = (one, other) => one !== other && one.beside === other.beside && Math.abs(one.middle - other.middle) < (one.long + other.long) / 2 + APART;
  const met = new Set(titles.filter((one) => titles.some((other) => meet(one, other))).map(({ beside }) => beside));
  const crowded = titles.filter(({ beside }) => met.has(beside));
  return { ...layout, ...Object.fromEntries(crowded.map(({ name }) => [name, { ...layout[name], title: { text: "" } }])) };
}

// The figure with the error signals of other networks, by name; what only training can tell is not drawn.
function untrained({ data, layout }, signals) {
  const names = Object.entries(layout.meta.error_signals);
  const logs = Object.values(signals).flat().filter((value) => value > 0).map(Math.log10);
  const [low, high] = [Math.min(...logs) - 0.5, Math.max(...logs) + 0.5];
  const deepest = Math.max(...Object.values(signals).map((one) => one.length));
  const traces = data.map((trace, index) => {
    const name = names.find(([, own]) => own === index)?.[0];
    if (!name) return { ...trace, visible: false };
    return { ...trace, x: signals[name].map((_, layer) => layer + 1), y: signals[name].map((value) => value || null) };
  });
  const xaxis = { ...layout.xaxis, range: [0.5, deepest + 0.5], tickmode: "auto" };
  const ticks = { tickmode: "linear", tick0: 0, dtick: Math.max(1, Math.ceil((high - low) / MOST_TICKS)) };
  return { data: traces, layout: { ...layout, xaxis, yaxis: { ...layout.yaxis, ...ticks, range: [low, high] } } };
}

// Boxes around the marked layers, on every axis of that network's layers: a light line within a dark one, as the
// timeline's own line on maps.
function marks({ meta }) {
  const marked = document.documentElement.dataset.backpropClinicMark;
  if (!marked || !meta?.layer_axes) return [];
  const { network, spans } = JSON.parse(marked);
  const axes = Object.entries(meta.layer_axes).filter(([, whose]) => whose === "both" || whose === network);
  return axes.flatMap(([name]) =>
    spans.flatMap(([first, last]) => {
      const [along, across] = name.startsWith("x") ? ["x", "y"] : ["y", "x"];
      const box = { type: "rect", [`${along}ref`]: name.replace("axis", ""), [`${across}ref`]: "paper" };
      Object.assign(box, { [`${along}0`]: first - 0.5, [`${along}1`]: last + 0.5, [`${across}0`]: 0, [`${across}1`]: 1 });
      return [
        { ...box, fillcolor: MARK_FILL, line: { color: "#111111", width: 4 } },
        { ...box, line: { color: "#ffffff", width: 1.5 } },
      ];
    }),
  );
}

// The latest frame at or before the step, else the first.
function frameAt(frames, step) {
  let best = frames[0];
  for (const frame of frames) if (Number(frame.name) <= step) best = frame;
  return best;
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
