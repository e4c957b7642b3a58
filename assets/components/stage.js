// Stage view's keys: 1 to 9 choose a chart, 0 shows the first three, H hides or shows the verdict, F fills the screen.

const mounted = new WeakMap(); // parent element -> what listens

const USES_KEYS = "input, textarea, select, [contenteditable], [role=dialog], [role=combobox], [role=listbox]";

export default function ({ parentElement, setTriggerValue }) {
  document.removeEventListener("keydown", mounted.get(parentElement));
  const listen = (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.composedPath()[0].closest?.(USES_KEYS) && event.composedPath()[0].type !== "range") return;
    const key = event.key.toLowerCase();
    if (/^[0-9]$/.test(key)) setTriggerValue("chart", Number(key));
    else if (key === "h") setTriggerValue("hide", true);
    else if (key === "f") fill();
    else return;
    event.preventDefault();
  };
  mounted.set(parentElement, listen);
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}

// Where a browser can: iPhones cannot.
function fill() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.();
}
