// The home page's stage: two networks, the error signal on its way back, and what training makes of them.
//
// It plays once from step 0, without the server: all it shows was measured beforehand (pages/components/home/frames.py).
// After that the handle chooses the depth of both networks, and the buttons the patient's activation.
// Streamlit runs the default export once when the component is mounted and again whenever the theme changes, with the
// same parent element.

const SIGNAL = 2500, TRAINING = 5000; // milliseconds
const SLOW_START = 1.6; // power of the time: the first updates change most
const LONGEST_FRAME = 100; // milliseconds: a page that was busy goes on where it was
const BRIGHTNESS = [-8, 0]; // powers of ten of rms δ, from the darkest cell to the brightest
const SMALLEST_SPARK = 0.12; // of its size; it has died, and is still seen
const SHALLOW = 4; // layers, whose cells leave room beside them, and none for the key below them
const FINER = 5; // pixels of a surface from one place that has a number to the next
const SVG = "http://www.w3.org/2000/svg";
const WHO = ["patient", "treated"];
const MARKERS = { patient: "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0", treated: "M0,-6.5L6.5,0L0,6.5L-6.5,0z" };
const ROOM = { left: 4, right: 46, top: 12, bottom: 20 }; // pixels around the losses
const ROOM_OF_NAME = 105; // pixels, of what stands below a line
const ARRIVES = 0.1; // share of the signal below which only some of it does

const mounted = new WeakMap(); // parent element -> Stage
let left = null; // {depth, activation} that somebody chose: who comes back finds them

class Stage {
  constructor(root, data) {
    this.root = root;
    this.stage = root.querySelector(".stage");
    this.headline = [...root.querySelector("h2").childNodes].map((part) => part.textContent);
    const { measured, ...words } = JSON.parse(new TextDecoder().decode(data));
    this.words = words;
    this.measured = decoded(measured);
    this.networks = Object.fromEntries(WHO.map((who) => [who, this.parts(who)]));
    this.loss = new Losses(root.querySelector(".loss"), this.measured.runs, words.networks.patient.steps, words.average);
    this.range = root.querySelector("input[type=range]");
    [this.range.min, this.range.max] = words.depths;
    this.buttons = Object.fromEntries([...root.querySelectorAll("button")].map((one) => [one.name, one]));
    this.buttons.play.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    this.buttons.replay.addEventListener("click", () => this.play(0));
    this.stage.style.setProperty("--scale", VIRIDIS.join());
    this.drawChoices();
    for (const way of root.querySelectorAll(".ways a")) way.addEventListener("click", (event) => follow(event, way));
    root.querySelector(".stranger").href = addressOf("mystery_patient");
    this.onKey = (event) => this.space(event);
    document.addEventListener("keydown", this.onKey);
    this.resized = new ResizeObserver(() => this.draw());
    const { depth, activation } = left ?? words.networks.patient;
    Object.assign(this, { depth, activation, touched: Boolean(left) });
    this.chosen();
    this.stage.classList.remove("empty");
    if (calm() || left) this.time = this.length;
    else this.play(0);
    this.resized.observe(this.stage); // which also draws
  }

  stop() {
    this.pause();
    this.resized.disconnect();
    document.removeEventListener("keydown", this.onKey);
  }

  // Space plays and pauses, as on the lessons, unless one has scrolled past the stage.
  space(event) {
    if (!isFreeSpace(event) || this.buttons.play.getBoundingClientRect().bottom < 0) return;
    event.preventDefault();
    this.buttons.play.click();
  }

  parts(who) {
    const part = (name) => this.root.querySelector(`.${name}.${who}`);
    const cells = part("cells");
    const layers = Array.from({ length: this.words.depths[1] + 1 }, () => cells.appendChild(document.createElement("i")));
    const add = (name) => Object.assign(cells.appendChild(document.createElement("span")), { className: name });
    const [first, last, spark] = [add("end"), add("end"), add("spark")];
    spark.hidden = true;
    const counter = part("who").querySelector(".counter strong"), of = part("who").querySelector(".of");
    return { who, cells, layers, first, last, spark, counter, of, settings: part("who").querySelector(".settings"), surface: part("surface") };
  }

  drawChoices() {
    const fieldset = this.root.querySelector("fieldset");
    for (const [activation, { settings }] of Object.entries(this.words.choices)) {
      const label = Object.assign(document.createElement("label"), { className: "choice" });
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "activation", value: activation });
      const text = Object.assign(document.createElement("span"), { textContent: settings.split(",")[0] });
      label.append(input, text);
      fieldset.append(label);
      input.addEventListener("change", () => this.choose(this.depth, activation));
    }
    this.range.addEventListener("input", () => this.choose(Number(this.range.value), this.activation));
  }

  // Whether these are the lesson's two networks, whose whole training is there.
  get whole() {
    const { depth, activation } = this.words.networks.patient;
    return this.depth === depth && this.activation === activation;
  }

  get length() {
    return this.whole ? SIGNAL + TRAINING : SIGNAL;
  }

  choose(depth, activation) {
    Object.assign(this, { depth, activation });
    left = { depth, activation };
    this.stage.classList.remove("inviting");
    this.touched = true;
    this.pause();
    this.time = this.length;
    this.chosen();
    this.draw();
  }

  // What the choice changes once: the cells that there are, the words, the link.
  chosen() {
    const { choices, networks, lesson } = this.words;
    const activations = { patient: this.activation, treated: networks.treated.activation };
    this.profiles = {};
    for (const who of WHO) {
      const { layers, first, last, settings } = this.networks[who];
      layers.forEach((cell, layer) => {
        cell.hidden = layer > this.depth;
        cell.className = layer === this.depth ? "output" : "";
      });
      first.textContent = "layer 1";
      last.textContent = "output";
      settings.innerHTML = linked(choices[activations[who]].settings);
      this.profiles[who] = profileOf(this.measured.choices[activations[who]].profile, this.depth);
    }
    this.activations = activations;
    this.range.value = this.depth;
    const count = `${this.depth} ${this.depth === 1 ? "layer" : "layers"}`;
    this.root.querySelector("output").textContent = count;
    this.stage.classList.toggle("shallow", this.depth <= SHALLOW);
    const share = this.depth === 1 ? "all" : shareInWords(this.ratio("patient"));
    const arrives = `${share[0].toUpperCase()}${share.slice(1)}${share.endsWith("times") ? "" : " of"} the signal arrives.`;
    const [layers, what] = this.whole ? this.headline : [`${count[0].toUpperCase()}${count.slice(1)}. `, arrives];
    this.root.querySelector("h2").firstChild.textContent = layers;
    this.root.querySelector("h2 em").textContent = what;
    const ratios = WHO.map((who) => `${networks[who].name} ${shareInWords(this.ratio(who))}`);
    const outcome = this.outcome();
    this.root.querySelector(".outcome").textContent = outcome;
    this.stage.classList.toggle("untrained", outcome !== "");
    this.range.setAttribute("aria-valuetext", `${count}; ${ratios.join(", ")}${outcome && `. ${outcome}`}`);
    this.root.querySelector(`input[value="${this.activation}"]`).checked = true;
    const link = { ...choices[this.activation].link, depth: this.depth };
    this.root.querySelector(".why").href = addressOf(`${lesson}?${new URLSearchParams(link)}`);
  }

  // What the treated network's counter does not tell: at some depths its training comes to nothing all the same.
  outcome() {
    const { networks, untrained } = this.words;
    const loss = this.measured.choices[networks.treated.activation].loss[this.depth - 1];
    if (this.whole || loss < untrained) return "";
    const both = this.activation === networks.treated.activation;
    const fails = Number.isFinite(loss) ? `does not train ${both ? "them" : "it"}` : "diverges";
    const signal = this.ratio("treated") < ARRIVES ? "some of the signal" : "the signal";
    return `In ${both ? "both networks" : "the treated network"} ${signal} arrives, but plain gradient descent at this learning rate ${fails}.`;
  }

  ratio(who) {
    return this.profiles[who][0] / this.profiles[who][this.depth - 1];
  }

  play(from = this.time >= this.length ? 0 : this.time) {
    this.pause();
    this.time = from;
    this.name("Pause");
    this.stage.classList.remove("inviting");
    let before = performance.now();
    const move = (now) => {
      this.time = Math.min(this.time + Math.min(Math.max(now - before, 0), LONGEST_FRAME), this.length);
      before = now;
      if (this.time < this.length) this.playing = requestAnimationFrame(move);
      else this.pause();
      this.draw();
      if (this.time >= this.length && !this.touched) this.stage.classList.add("inviting");
    };
    this.playing = requestAnimationFrame(move);
  }

  pause() {
    cancelAnimationFrame(this.playing);
    this.playing = null;
    this.name("Play");
  }

  name(word) {
    Object.assign(this.buttons.play, { title: word, ariaLabel: word });
  }

  draw() {
    const arrived = Math.min(this.time / SIGNAL, 1); // share of the way back that the signal has gone
    const trained = this.whole ? Math.max(this.time - SIGNAL, 0) / TRAINING : 0; // share of the training's time
    const steps = this.measured.steps;
    const frame = trained ** SLOW_START * (steps.length - 1);
    const step = between(steps, frame);
    const total = this.words.networks.patient.steps;
    for (const who of WHO) this.drawNetwork(this.networks[who], arrived, frame);
    this.root.querySelector(".step").textContent = this.whole ? `, step ${Math.round(step)}` : ` after ${total} steps`;
    const losses = WHO.map((who) => this.measured.choices[this.activations[who]].loss[this.depth - 1]);
    this.loss.draw(this.whole ? step : null, losses);
  }

  drawNetwork({ who, cells, layers, first, spark, counter, of, surface }, arrived, frame) {
    const { depth } = this;
    const run = this.measured.runs[who];
    const delta = frame > 0 ? blended(run.delta, frame, Math.log10).map((one) => 10 ** one) : this.profiles[who];
    const front = depth * (1 - arrived); // the layer that the signal has come to
    delta.forEach((one, layer) => {
      const lit = this.time > 0 && layer >= front - 0.5;
      Object.assign(layers[layer].style, { background: lit ? shade(logShare(one, BRIGHTNESS)) : "", borderColor: lit ? "transparent" : "" });
    });
    first.style.left = `${layers[0].offsetLeft}px`;
    const here = Math.min(Math.round(front), depth - 1);
    const share = this.profiles[who][here] / this.profiles[who][depth - 1];
    const text = here === depth - 1 && depth > 1 && arrived < 1 ? "all" : depth === 1 ? "all" : shareInWords(share);
    counter.textContent = text;
    of.firstChild.textContent = `${text.endsWith("times") ? "" : "of "}layer ${depth}’s `;
    of.lastChild.textContent = ` reaches layer ${here + 1}${frame > 0 ? " before training" : ""}`;
    spark.hidden = arrived >= 1 || this.time === 0;
    if (!spark.hidden) {
      const [low, high] = [Math.floor(front), Math.ceil(front)].map((layer) => layers[layer]);
      const middle = (cell) => cell.offsetLeft + cell.offsetWidth / 2;
      const x = middle(low) + (front % 1) * (middle(high) - middle(low));
      const strength = logShare(10 ** between(Array.from(this.profiles[who], Math.log10), front), BRIGHTNESS);
      spark.style.transform = `translateX(${x}px) scale(${Math.max(strength, SMALLEST_SPARK)})`;
    }
    const choice = this.measured.choices[this.activations[who]];
    const levels = this.whole ? blended(run.surface, frame) : row(choice.surface, depth - 1);
    drawSurface(surface, levels, this.measured.points, this.words);
    if (this.playing) return; // a screen reader gets what stands
    cells.ariaLabel = `${this.words.networks[who].name}: rms δ from layer 1 to the output: ${Array.from(delta, numberInWords).join(", ")}`;
    const [least, most] = [Math.min(...levels), Math.max(...levels)].map((one) => numberInWords(one / this.words.levels));
    surface.ariaLabel = `${this.words.networks[who].name}: the probability of one of two classes lies between ${least} and ${most} over the input plane`;
  }
}

// The two losses over the steps: lines as far as they have come, or the ends of runs whose course is not there.
class Losses {
  constructor(svg, runs, last, average) {
    Object.assign(this, { svg, runs, last, average });
    const add = (name, attributes, parent = svg) => {
      const element = parent.appendChild(document.createElementNS(SVG, name));
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      return element;
    };
    this.axis = add("path", { class: "axis", fill: "none" });
    this.level = add("path", { class: "average" });
    this.name = add("text", { "text-anchor": "start" });
    this.name.textContent = "average answer";
    this.start = add("text", { y: 0, "text-anchor": "start" });
    this.stop = add("text", { y: 0, "text-anchor": "end" });
    this.start.textContent = "0";
    this.stop.textContent = `${last} steps`;
    this.parts = WHO.map((who) => ({
      line: add("polyline", { class: `line ${who}` }),
      marker: add("path", { class: `end ${who}`, d: MARKERS[who] }),
      text: add("text", { class: `end ${who}`, "dominant-baseline": "central" }),
    }));
    this.highest = Math.max(...WHO.map((who) => Math.max(...runs[who].loss)));
  }

  draw(step, lasts) {
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width) return;
    const right = width - ROOM.right, bottom = height - ROOM.bottom;
    const x = (at) => ROOM.left + (at / this.last) * (right - ROOM.left);
    const y = (loss) => bottom - (Math.min(loss, this.highest) / this.highest) * (bottom - ROOM.top);
    this.axis.setAttribute("d", `M${ROOM.left},${ROOM.top}V${bottom}H${right}`);
    for (const [text, at] of [[this.start, ROOM.left], [this.stop, right]]) {
      text.setAttribute("x", at);
      text.setAttribute("y", height - 3);
    }
    // Where two ends stand alone, what one gets without learning anything.
    const level = y(this.average);
    this.level.setAttribute("d", `M${ROOM.left},${level}H${right}`);
    for (const [name, value] of Object.entries({ x: ROOM.left + 6, y: level + 16 })) this.name.setAttribute(name, value);
    const named = step === null && right - ROOM.left > ROOM_OF_NAME;
    for (const part of [this.level, this.name]) part.style.display = named ? "" : "none";
    const ends = WHO.map((who, k) => {
      const { loss, loss_step: steps } = this.runs[who];
      const { line, marker, text } = this.parts[k];
      const kept = step === null ? [] : Array.from(steps).filter((one) => one <= step);
      const points = kept.map((one, index) => [x(one), y(loss[index])]);
      const value = step === null ? lasts[k] : at(steps, loss, step);
      points.push([x(step ?? this.last), y(value)]);
      line.setAttribute("points", step === null ? "" : points.map((one) => one.join()).join(" "));
      const [left, top] = points[points.length - 1];
      marker.setAttribute("transform", `translate(${left},${top})`);
      text.textContent = Number.isFinite(value) ? numberInWords(value) : "diverged";
      return { left, top, text, value };
    });
    // Two numbers at one height stand above each other.
    const apart = 18, distance = Math.abs(ends[0].top - ends[1].top);
    const push = distance < apart ? (apart - distance) / 2 : 0;
    const upper = ends[0].top <= ends[1].top ? 0 : 1;
    ends.forEach(({ left, top, text }, k) => {
      text.setAttribute("x", left + 11);
      text.setAttribute("y", Math.max(top + (k === upper ? -push : push), 6));
    });
    this.svg.ariaLabel = `Training loss at step ${Math.round(step ?? this.last)}: patient ${numberInWords(ends[0].value)}, treated ${numberInWords(ends[1].value)}`;
  }
}

// The probability of a class over the input plane in colours, and the examples.
function drawSurface(canvas, levels, points, { classes, levels: most, reach }) {
  const size = Math.round(canvas.clientWidth * devicePixelRatio), side = Math.sqrt(levels.length);
  if (!size) return;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const small = (drawSurface.small ??= document.createElement("canvas")), fine = FINER * (side - 1) + 1;
  if (small.width !== fine) small.width = small.height = fine;
  const image = new ImageData(fine, fine), pixels = new Uint32Array(image.data.buffer);
  const colors = shades(classes, getComputedStyle(canvas).color, most);
  // Straight between the places that have a number, so that a boundary is a line and no staircase.
  for (let y = 0; y < fine; y++) {
    const low = Math.min(Math.floor(y / FINER), side - 2), up = y / FINER - low;
    for (let x = 0; x < fine; x++) {
      const left = Math.min(Math.floor(x / FINER), side - 2), right = x / FINER - left, k = low * side + left;
      const below = levels[k] + right * (levels[k + 1] - levels[k]);
      const above = levels[k + side] + right * (levels[k + side + 1] - levels[k + side]);
      pixels[(fine - 1 - y) * fine + x] = colors[Math.round(below + up * (above - below))]; // the second input points up
    }
  }
  small.getContext("2d").putImageData(image, 0, 0);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, size, size);
  const radius = size / 48;
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = radius / 3;
  for (let k = 0; k < points.shape[0]; k++) {
    const [x, y, label] = points.data.subarray(3 * k);
    const left = (x / reach) * size, top = size - (y / reach) * size;
    pen.beginPath();
    if (label) {
      pen.moveTo(left, top - 1.2 * radius);
      pen.lineTo(left + 1.1 * radius, top + 0.8 * radius);
      pen.lineTo(left - 1.1 * radius, top + 0.8 * radius);
      pen.closePath();
    } else pen.rect(left - 0.85 * radius, top - 0.85 * radius, 1.7 * radius, 1.7 * radius);
    pen.fillStyle = classes[label];
    pen.fill();
    pen.stroke();
  }
}

// The colour of every level, from one class over one that stands for neither to the other, as a pixel has it.
const shades = remembered((classes, neither, most) => {
  const [one, other] = classes.map((color) => [1, 3, 5].map((from) => parseInt(color.slice(from, from + 2), 16)));
  const middle = neither.match(/\d+/g).map(Number);
  return Uint32Array.from({ length: most + 1 }, (_, level) => {
    const share = (2 * level) / most, [from, to, part] = share < 1 ? [one, middle, share] : [middle, other, share - 1];
    const [red, green, blue] = from.map((value, k) => Math.round(value + part * (to[k] - value)));
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  });
});

// A function that makes its result anew only where it gets something new.
function remembered(make) {
  let before, result;
  return (...given) => {
    if (String(given) !== before) [before, result] = [String(given), make(...given)];
    return result;
  };
}

// The layers' numbers of one depth, from those of all depths one after the other.
function profileOf(data, depth) {
  const start = ((depth - 1) * (depth + 2)) / 2; // 2 + 3 + ... + depth
  return data.subarray(start, start + depth + 1);
}

// One row of an array along its first axis.
function row({ shape, data }, index) {
  const size = shape.slice(1).reduce((product, one) => product * one, 1);
  return data.subarray(index * size, (index + 1) * size);
}

// The row at a place between two, straight from one to the other in what `as` makes of the numbers.
function blended(array, place, as = (one) => one) {
  const low = Math.floor(place), [one, other] = [row(array, low), row(array, Math.min(low + 1, array.shape[0] - 1))];
  return Array.from(one, (value, k) => as(value) + (place - low) * (as(other[k]) - as(value)));
}

function between(values, place) {
  const low = Math.floor(place), high = Math.min(low + 1, values.length - 1);
  return values[low] + (place - low) * (values[high] - values[low]);
}

// The value at a step, straight between the two steps beside it that have one.
function at(steps, values, step) {
  const high = Math.max(steps.findIndex((one) => one >= step), 0), low = Math.max(high - 1, 0);
  const share = steps[high] > steps[low] ? (step - steps[low]) / (steps[high] - steps[low]) : 0;
  return values[low] + share * (values[high] - values[low]);
}

// Base64 arrays as {shape, data}, wherever they stand.
function decoded(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if (typeof value.data !== "string") return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, decoded(part)]));
  const bytes = Uint8Array.from(atob(value.data), (one) => one.charCodeAt(0));
  const data = value.type === "uint8" ? bytes : new Float32Array(bytes.buffer);
  return value.shape.length > 1 ? { shape: value.shape, data } : data;
}

// The app may stand below a path of its host.
function addressOf(page) {
  return new URL(page, location.origin + location.pathname.replace(/[^/]*$/, "")).href;
}

// Within the app, as Streamlit itself does it on Back: nothing is loaded again.
function follow(event, way) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState({}, "", way.href);
  dispatchEvent(new PopStateEvent("popstate"));
}

export default function ({ data, parentElement }) {
  let stage = mounted.get(parentElement);
  if (!stage) {
    stage = new Stage(parentElement, data);
    mounted.set(parentElement, stage);
  } else stage.draw(); // in another theme
  return () => {
    mounted.delete(parentElement);
    stage.stop();
  };
}
