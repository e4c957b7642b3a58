// The place of one chart, drawn by chart.js, which comes with the page and not with each of its charts.

const POLL = 20; // milliseconds

export default function (component) {
  let stop = null, gone = false;
  const draw = () => {
    if (gone) return;
    if (window.backpropClinicChart) stop = window.backpropClinicChart(component);
    else setTimeout(draw, POLL);
  };
  draw();
  return () => {
    gone = true;
    stop?.();
  };
}
