// A button that goes with what it has led to leaves the keyboard to the box that it was in.  data: a selector of what of
// the page this is for.

const BOXES = "[class*='st-key-']";
const LONGEST = 20000, LOOK = 100; // milliseconds that a run may take, and between two looks

let within = null;

async function keep(event) {
  const button = event.target.closest?.("button"), panel = button?.closest(within);
  if (!panel || event.detail) return; // by pointer
  const boxes = [panel, ...panel.querySelectorAll(BOXES)].filter((box) => box.contains(button) && box !== button).reverse();
  const latest = performance.now() + LONGEST;
  while (button.isConnected && performance.now() < latest) await new Promise((done) => setTimeout(done, LOOK));
  const box = boxes.find((one) => one.isConnected);
  if (!box || button.isConnected || document.activeElement !== document.body) return;
  box.tabIndex = -1;
  box.focus({ preventScroll: true });
}

export default function ({ data }) {
  within = data;
  document.addEventListener("click", keep);
  return () => document.removeEventListener("click", keep);
}
