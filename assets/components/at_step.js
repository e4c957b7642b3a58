// A button that answers the timeline's step, which the browser alone knows: from 1 to `most`.

const STEP_EVENT = "backprop-clinic:step";

export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button");
  const shown = () => Number(document.documentElement.dataset.backpropClinicStep ?? 0);
  const step = () => Math.min(Math.max(shown(), 1), data.most);
  const write = () => (button.textContent = `Use ${step() === shown() ? "the timeline’s step," : "step"} ${step()}`);
  write();
  window.addEventListener(STEP_EVENT, write);
  button.onclick = () => setTriggerValue("step", step());
  return () => window.removeEventListener(STEP_EVENT, write);
}
