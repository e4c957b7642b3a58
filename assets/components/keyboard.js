// What the keyboard is to do and does not do in Streamlit.
//
// What a button unfolds is at the end of the page: who opens it by the keyboard would tab through the whole page to come
// there.  Here the keyboard goes into it at once; Escape leads back, which Streamlit sees to.
// A field for whole numbers takes the 1 of 1e9 for the number: before it reads the field, 1000000000 stands there.

const OPENS = "[data-testid=stPopover] button";
const BOX = "[data-testid=stPopoverBody]";
const NUMBER = "[data-testid=stNumberInput] input[type=number]";
const STOPS = "a[href], button:enabled, input:enabled, select, textarea, summary, [tabindex='0']";
const LATEST = 1500; // milliseconds from the key to the box with what is in it

function firstStop(place) {
  for (const one of place.querySelectorAll("*")) {
    if (one.matches(STOPS) && one.checkVisibility()) return one;
    const within = one.shadowRoot && firstStop(one.shadowRoot);
    if (within) return within;
  }
  return null;
}

async function enter(button) {
  const latest = performance.now() + LATEST;
  while (performance.now() < latest && document.activeElement === button) {
    await new Promise((done) => requestAnimationFrame(done));
    const box = document.querySelector(BOX);
    const stop = box && firstStop(box);
    if (stop) return stop.focus({ preventScroll: true });
  }
}

function writeOut(field) {
  const number = Number(field.value);
  if (!/e/i.test(field.value) || !Number.isInteger(number)) return;
  // React takes notice of what is typed, and not of a value that is set.
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, String(BigInt(number)));
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

export default function () {
  const pressed = ({ key, target }) => {
    if (key === "Enter" && target.matches?.(NUMBER)) writeOut(target);
    const button = (key === "Enter" || key === " ") && target.closest?.(OPENS);
    if (button && !document.querySelector(BOX)) enter(button);
  };
  const left = ({ target }) => target.matches?.(NUMBER) && writeOut(target);
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("focusout", left, true);
  return () => {
    document.removeEventListener("keydown", pressed, true);
    document.removeEventListener("focusout", left, true);
  };
}
