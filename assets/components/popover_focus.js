// Streamlit draws what a button unfolds at the end of the page: who opens it by the keyboard would tab through the whole
// page to come there.  Here the keyboard goes into it at once; Escape leads back, which Streamlit sees to.

const OPENS = "[data-testid=stPopover] button";
const BOX = "[data-testid=stPopoverBody]";
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

export default function () {
  const open = ({ key, target }) => {
    const button = (key === "Enter" || key === " ") && target.closest?.(OPENS);
    if (button && !document.querySelector(BOX)) enter(button);
  };
  document.addEventListener("keydown", open, true);
  return () => document.removeEventListener("keydown", open, true);
}
