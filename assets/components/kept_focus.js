// A button that goes with what it has led to leaves the keyboard to the box that it was in.

const BOXES = "[class*='st-key-']"; // within the open part of a lesson
const LONGEST = 20000, LOOK = 100; // milliseconds that a run may take, and between two looks

async function keep(event) {
  const button = event.target.closest?.("[role=tabpanel] button");
  if (!button || event.detail) return; // by pointer
  const panel = button.closest("[role=tabpanel]");
  const boxes = [panel, ...panel.querySelectorAll(BOXES)].filter((box) => box.contains(button) && box !== button).reverse();
  const latest = performance.now() + LONGEST;
  while (button.isConnected && performance.now() < latest) await new Promise((done) => setTimeout(done, LOOK));
  const box = boxes.find((one) => one.isConnected);
  if (!box || button.isConnected || document.activeElement !== document.body) return;
  box.tabIndex = -1;
  box.focus({ preventScroll: true });
}

export default function () {
  document.addEventListener("click", keep);
  return () => document.removeEventListener("click", keep);
}
