// What a word of the glossary means, beside where it stands: for who points at it, comes to it by keyboard, or taps it.
//
// A text marks a word as a link to #word-…, in a component of our own too.  data: its name and its explanation, by what
// comes after "word-".

const MARKED = 'a[href^="#word-"]';
const LEAVING = 200; // milliseconds to get from the word to what is said of it
const GAP = 6, EDGE = 8; // pixels to the word, and to the window's edge

let entries = {};
let shown = null; // the word that is explained
let stood = 0; // where its top stood in the window when it was
let leaving = null;

const box = Object.assign(document.createElement("div"), { className: "explanation", role: "tooltip", popover: "manual" });

function word(event) {
  return event.composedPath().find((one) => one.matches?.(MARKED)) ?? null;
}

function show(link) {
  clearTimeout(leaving);
  const entry = link && entries[link.getAttribute("href").slice("#word-".length)];
  if (!entry) return;
  const [name, text] = entry;
  shown = link;
  link.setAttribute("aria-description", `${name}: ${text}`); // a description by id does not reach out of a component
  box.replaceChildren(Object.assign(document.createElement("strong"), { textContent: `${name}: ` }), text);
  (document.fullscreenElement ?? document.querySelector(".stApp")).append(box); // which has the theme
  box.showPopover?.();
  const at = link.getBoundingClientRect();
  stood = at.top;
  const left = Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - EDGE);
  const below = at.bottom + GAP + box.offsetHeight + EDGE < innerHeight;
  box.style.left = `${Math.max(left, EDGE)}px`;
  box.style.top = `${below ? at.bottom + GAP : at.top - GAP - box.offsetHeight}px`;
}

function hide() {
  clearTimeout(leaving);
  shown = null;
  if (box.isConnected) box.hidePopover?.();
  box.remove();
}

function leave() {
  clearTimeout(leaving);
  leaving = setTimeout(hide, LEAVING);
}

const listeners = {
  pointerover: (event) => (word(event) ? show(word(event)) : event.composedPath().includes(box) && clearTimeout(leaving)),
  pointerout: (event) => {
    const left = word(event) === shown || event.composedPath().includes(box);
    if (event.pointerType === "mouse" && shown && left) leave();
  },
  focusin: (event) => show(word(event)),
  focusout: (event) => word(event) && word(event) === shown && hide(),
  pointerdown: (event) => shown && !word(event) && !event.composedPath().includes(box) && hide(),
  click: (event) => {
    if (!word(event)) return;
    event.preventDefault(); // there is no such place on the page
    event.stopPropagation();
    show(word(event));
  },
  keydown: (event) => event.key === "Escape" && shown && hide(),
  // What the browser says late of a movement that had ended before, or of another place that scrolls, leaves it alone.
  scroll: () => shown && Math.abs(shown.getBoundingClientRect().top - stood) > 1 && hide(),
};

const listening = new WeakSet(); // components of our own, out of which it does not come what happens between two of its words

function listen(event) {
  for (const root of event.composedPath().filter((one) => one instanceof ShadowRoot && !listening.has(one))) {
    listening.add(root);
    for (const kind of ["pointerover", "pointerout", "focusin", "focusout"]) root.addEventListener(kind, listeners[kind], true);
  }
  listeners[event.type](event);
}

export default function ({ data }) {
  entries = data;
  for (const kind of Object.keys(listeners)) document.addEventListener(kind, listen, true);
  return () => {
    hide();
    for (const kind of Object.keys(listeners)) document.removeEventListener(kind, listen, true);
  };
}
