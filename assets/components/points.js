// The points of all patients that were treated in this browser; of one that was treated again, those of the first time.

const KEPT = "backprop_clinic_points"; // patient -> points

export default function ({ data, parentElement }) {
  const kept = read();
  if (!(data.patient in kept)) {
    kept[data.patient] = data.points;
    try {
      localStorage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // a browser that keeps nothing counts this patient alone
    }
  }
  const points = Object.values(kept);
  const total = points.reduce((sum, one) => sum + one, 0);
  const patients = points.length === 1 ? "1 patient" : `${points.length} patients`;
  const first = kept[data.patient] === data.points ? "" : ` Counted for this one: ${kept[data.patient]}, as the first time.`;
  parentElement.querySelector("p").textContent =
    `In this browser: ${patients}, ${total} of ${points.length * data.most} points.${first}`;
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    const entries = Object.entries(kept ?? {}).filter(([, points]) => Number.isFinite(points));
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}
