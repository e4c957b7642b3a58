// A thin range on the lower edge of number fields, to drag what is else typed.  data: the stops of each, by its key.
//
// While it is dragged the field shows the number, as if it were typed; let go, it is entered.  The keyboard has the field.

const ROW = ".st-key-first_screen";
const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set; // past React's own

const mounted = new WeakMap(); // parent element -> what watches the fields

export default function ({ data, parentElement }) {
  mounted.get(parentElement)?.();
  const box = parentElement.closest(ROW);
  const keys = Object.entries(data).flatMap(([name, stops]) => [name, `treated_${name}`].map((key) => [key, stops]));
  const all = () => keys.forEach(([key, stops]) => follow(box.querySelector(`.st-key-${key} input[type=number]`), stops));
  const watch = new MutationObserver(all);
  watch.observe(box, { subtree: true, childList: true, attributeFilter: ["value", "disabled"] });
  box.addEventListener("input", all);
  all();
  const stop = () => {
    watch.disconnect();
    box.removeEventListener("input", all);
    mounted.delete(parentElement);
  };
  mounted.set(parentElement, stop);
  return stop;
}

// The field's range at its number; none where it is empty, and stands for another network's.
function follow(field, stops) {
  if (!field) return;
  const box = field.closest("[data-testid=stNumberInput]");
  const range = box.querySelector(".drag-number") ?? box.appendChild(made(box, stops));
  const hidden = field.value === "" || field.disabled;
  if (range.hidden !== hidden) range.hidden = hidden;
  if (!hidden && stops[range.value] !== Number(field.value)) range.value = nearest(stops, Number(field.value));
}

function made(box, stops) {
  const field = () => box.querySelector("input[type=number]");
  const range = Object.assign(document.createElement("input"), { type: "range", className: "drag-number", max: stops.length - 1, tabIndex: -1, ariaHidden: "true" });
  range.addEventListener("input", (event) => {
    event.stopPropagation();
    setValue.call(field(), stops[range.value]);
    field().dispatchEvent(new Event("input", { bubbles: true }));
  });
  range.addEventListener("change", () => field().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true })));
  return range;
}

function nearest(stops, value) {
  return stops.reduce((best, stop, index) => (Math.abs(stop - value) < Math.abs(stops[best] - value) ? index : best), 0);
}
