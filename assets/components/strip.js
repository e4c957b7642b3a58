// The strip: the networks as rows of cells, one a layer.  The timeline moves their brightness; a click marks a layer.
//
// Streamlit runs the default export once when the component is mounted and again whenever its data or the theme change,
// with the same parent element.  data: see pages/components/lesson/strip.py.

const STEP_EVENT = "backprop-clinic:step"; // from the timeline
const MARK_EVENT = "backprop-clinic:mark"; // layers are marked, or none any more
// detail: {patient, treated}, the error signal of each layer at step 0; null: as it was; false: these have been trained
const PREVIEW_EVENT = "backprop-clinic:preview";
const TOUCHES = ["pointerover", "pointerdown", "focusin"];
const DRAGGED = ["depth", "gain"]; // as in strip.py
const STOPS = 9; // of the key's colours
const VERDICT = ".st-key-verdict h2"; // over which style.css lays what it says while a setting is dragged

const mounted = new WeakMap(); // parent element -> Strip

class Strip {
  constructor(root) {
    this.root = root;
    this.box = root.querySelector(".strip");
    this.onStep = () => this.rows && !this.previewing && this.show(this.at);
    this.onMark = () => this.showMarks();
    window.addEventListener(STEP_EVENT, this.onStep);
    window.addEventListener(MARK_EVENT, this.onMark);
    this.onTouch = (event) => this.touch(event);
    for (const kind of TOUCHES) document.addEventListener(kind, this.onTouch);
    // A slider of Streamlit's tells nobody while it is dragged, but for what it tells a screen reader.
    this.slides = new MutationObserver(() => this.follow());
    this.slides.observe(document.body, { subtree: true, attributeFilter: ["value", "aria-valuenow", "aria-valuetext"] });
    this.onInput = () => this.follow();
    document.addEventListener("input", this.onInput);
    this.box.addEventListener("click", (event) => this.mark(event.target.closest("[data-layer]")));
    this.box.addEventListener("keydown", (event) => this.key(event));
    for (const kind of ["pointerover", "focusin"]) this.box.addEventListener(kind, (event) => this.tell(event.target.closest("[data-layer]")));
    for (const kind of ["pointerleave", "focusout"]) this.box.addEventListener(kind, () => this.tell(null));
  }

  stop() {
    this.endPreview(false);
    window.removeEventListener(STEP_EVENT, this.onStep);
    window.removeEventListener(MARK_EVENT, this.onMark);
    for (const kind of TOUCHES) document.removeEventListener(kind, this.onTouch);
    this.slides.disconnect();
    document.removeEventListener("input", this.onInput);
  }

  update(data, ask) {
    const { strip, preview, verdict, hidden } = JSON.parse(new TextDecoder().decode(data));
    const other = JSON.stringify(strip) !== JSON.stringify(this.data);
    Object.assign(this, { data: strip, preview, hidden, ask });
    if (other) {
      this.asked = null;
      this.endPreview(false);
    }
    if (!preview) this.endPreview(null); // what was dragged cannot be trained
    this.spoken ??= Object.assign(this.root.appendChild(document.createElement("span")), { className: "spoken", ariaLive: "polite" });
    if (this.verdict && this.verdict !== verdict) this.spoken.textContent = verdict;
    this.verdict = verdict;
    if (!this.previewing) this.drawAll();
    this.follow(); // somebody may be dragging already
  }

  // Who comes near a setting will soon drag it.
  touch(event) {
    const near = event.target.closest && DRAGGED.find((name) => event.target.closest(`.st-key-${name}, .st-key-treated_${name}`));
    if (!near || this.asked === near || this.preview?.name === near) return;
    this.asked = near;
    this.ask(near);
  }

  // While a setting is dragged: both networks as they are before training, with the value that its field says.
  follow() {
    if (!this.preview || !this.rows) return;
    const { name, values, follows, now } = this.preview;
    const [mine, theirs] = [name, `treated_${name}`].map(dragged);
    const asked = [mine ?? now[0], theirs ?? (follows ? mine : null) ?? now[1]];
    const at = asked.map((value) => values.indexOf(value));
    if (String(asked) === String(now) || at.includes(-1)) {
      if (this.endPreview(null)) this.drawAll();
      return;
    }
    this.previewing = true;
    const shown = at.map((index, row) => {
      const { who, name, size } = this.data.rows[row];
      const { cells, readouts } = this.preview[who];
      return { who, name, size: size.replace(/^\d+/, cells[index].length - 1), cells: [cells[index]], readout: [readouts[index]] };
    });
    this.draw(shown, 0);
    this.told.textContent = "step 0, before training";
    this.say(shown.map(({ who }, row) => this.preview[who].sentences[at[row]]).join(" "));
    window.dispatchEvent(new CustomEvent(PREVIEW_EVENT, { detail: Object.fromEntries(shown.map(({ who, cells }) => [who, cells[0]])) }));
  }

  // Whether there was one.
  endPreview(detail) {
    if (!this.previewing) return false;
    this.previewing = false;
    this.say("");
    window.dispatchEvent(new CustomEvent(PREVIEW_EVENT, { detail }));
    return true;
  }

  // In place of the verdict, unless that is hidden; nothing: the verdict itself.
  say(sentences) {
    const verdict = document.querySelector(VERDICT);
    if (verdict && sentences && !this.hidden) verdict.dataset.untrained = sentences;
    else delete verdict?.dataset.untrained;
  }

  drawAll() {
    this.draw(this.data.rows, this.at);
    this.showMarks();
  }

  draw(rows, at) {
    this.shown = rows;
    const shape = rows.map(({ cells, size, name }) => `${cells[0].length} ${size} ${name}`).join();
    if (shape !== this.shape) this.build();
    this.shape = shape;
    this.box.querySelector(".caption").innerHTML = linked(this.data.caption);
    this.box.querySelector(".name").innerHTML = linked(this.data.name);
    const [low, high] = this.data.decades;
    this.box.querySelector(".low").textContent = endOfKey(low);
    this.box.querySelector(".high").textContent = endOfKey(high);
    this.show(at);
  }

  build() {
    const key = Array.from({ length: STOPS }, (_, at) => shade(at / (STOPS - 1))).join(", ");
    this.box.innerHTML =
      this.shown
        .map(({ who, cells, size }) => {
          const last = cells[0].length - 1;
          const buttons = cells[0].map((_, layer) => `<button type="button" tabindex="${layer ? -1 : 0}" data-layer="${layer + 1}" aria-pressed="false" class="${layer === last ? "output" : ""}"></button>`);
          return `<div class="row ${who}" data-who="${who}"><span class="who"><b></b> <small>${size}</small></span><div class="cells" role="group">${buttons.join("")}</div><span class="readout"></span></div>`;
        })
        .join("") +
      `<div class="foot"><span class="key"><span class="name"></span> <span class="low"></span><i style="background: linear-gradient(90deg, ${key})"></i><span class="high"></span></span><span class="told"></span><span class="caption"></span></div>`;
    this.rows = [...this.box.querySelectorAll(".row")].map((row, index) => {
      const { name } = this.shown[index]; // which somebody may have typed: text, never markup
      row.querySelector(".who b").textContent = name;
      row.querySelector(".cells").setAttribute("aria-label", name);
      return { who: row.dataset.who, name, buttons: [...row.querySelectorAll("button")], readout: row.querySelector(".readout") };
    });
    this.told = this.box.querySelector(".told");
  }

  // The row of the step that the timeline stands at.
  get at() {
    const step = Number(document.documentElement.dataset.backpropClinicStep ?? Infinity);
    return Math.max(this.data.steps.findLastIndex((one) => one <= step), 0);
  }

  show(at) {
    this.rows.forEach((row, index) => {
      const { cells, readout } = this.shown[index];
      this.paint(row, cells[at]);
      const said = linked(readout[at]);
      if (said !== row.said) row.readout.innerHTML = row.said = said; // a link that stays keeps the focus
      row.readout.dataset.named = this.data.short; // shown where the foot is not
    });
    this.tell(this.on);
  }

  paint({ buttons }, values) {
    buttons.forEach((button, layer) => {
      const value = values[layer];
      button.classList.toggle("unknown", value === null);
      button.style.background = shade(logShare(value, this.data.decades));
      button.setAttribute("aria-label", `${layerName(layer, values.length)}: ${written(value)}`);
    });
  }

  // What the cell under the pointer, or with the keyboard, says.
  tell(button) {
    this.on = button;
    if (!this.told) return;
    this.told.textContent = button?.isConnected ? `${this.rows.find(({ buttons }) => buttons.includes(button)).name}, ${button.getAttribute("aria-label")}` : "";
  }

  // Mark the layer in every chart, or unmark it where it is marked.
  mark(button) {
    if (!button) return;
    const network = button.closest(".row").dataset.who;
    const layer = Number(button.dataset.layer);
    const marked = JSON.stringify({ network, spans: [[layer, layer]] });
    const page = document.documentElement.dataset;
    page.backpropClinicMark = page.backpropClinicMark === marked ? "" : marked;
    window.dispatchEvent(new CustomEvent(MARK_EVENT));
  }

  showMarks() {
    const marked = document.documentElement.dataset.backpropClinicMark;
    const { network, spans } = marked ? JSON.parse(marked) : { spans: [] };
    for (const { who, buttons } of this.rows ?? []) {
      for (const button of buttons) {
        const layer = Number(button.dataset.layer);
        const on = who === network && spans.some(([first, last]) => first <= layer && layer <= last);
        button.setAttribute("aria-pressed", on);
      }
    }
  }

  // One tab stop a row; arrows move within and between rows, and mark as they go where something is marked.
  key(event) {
    const button = event.target.closest("[data-layer]");
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!button || !moves[event.key]) return;
    event.preventDefault();
    const [along, across] = moves[event.key];
    const row = this.rows.findIndex(({ buttons }) => buttons.includes(button));
    const { buttons } = this.rows[Math.min(Math.max(row + across, 0), this.rows.length - 1)];
    const at = Math.min(Math.max(this.rows[row].buttons.indexOf(button) + along, 0), buttons.length - 1);
    for (const one of buttons) one.tabIndex = one === buttons[at] ? 0 : -1;
    buttons[at].focus();
    if (button.getAttribute("aria-pressed") === "true" && buttons[at] !== button) this.mark(buttons[at]);
  }
}

// The number in a setting's field or slider; null where there is none, or it is empty.
function dragged(key) {
  const field = document.querySelector(`.st-key-${key} :is([role="slider"], input[type="range"], input[type="number"])`);
  return field?.value ? Number(field.value) : null;
}

function layerName(layer, count) {
  return layer === count - 1 ? "output layer" : `layer ${layer + 1}`;
}

function written(value) {
  return value === null ? "not finite" : numberInWords(value);
}

// An end of the key, whose colour stands for 10 to this power; small ones are written out.
function endOfKey(exponent) {
  return exponent >= -2 && exponent <= 3 ? numberInWords(10 ** exponent) : powerOfTen(Math.round(exponent));
}

export default function ({ data, parentElement, setTriggerValue }) {
  let strip = mounted.get(parentElement);
  if (!strip) {
    strip = new Strip(parentElement);
    mounted.set(parentElement, strip);
  }
  strip.update(data, (name) => setTriggerValue("touched", name));
  return () => {
    mounted.delete(parentElement);
    strip.stop();
  };
}
