// Traces of a Plotly chart at another step, drawn by the modules of their types, and nothing around them.
//
// Plotly.react looks for what else has changed and lays out axes and keys anew: five times the work for the same picture,
// since ranges and colours are fixed over all steps.

const MOVABLE = ["x", "y", "z"]; // attributes that say where a trace is, or what it is coloured for, and nothing else
const ALONE = ["scatter", "contour", "heatmap"]; // types of traces that hang on no other trace
const TYPED = { i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };

// Moves the traces of a frame, decoded; false where that takes more than this, and nothing has been done.
function moveTraces(plot, { traces, data }) {
  const { _fullData: all, _fullLayout: layout, calcdata } = plot;
  const moved = traces.map((index) => all[index]);
  if (!moved.every((trace, place) => isFixed(trace, layout, Object.keys(data[place])))) return false;
  moved.forEach((trace, place) => {
    Object.assign(trace, data[place]);
    Object.assign(trace._input, data[place]);
    const points = trace._module.calc(plot, trace);
    points[0].t ??= {};
    points[0].trace = trace;
    calcdata[trace.index] = points;
  });
  for (const [subplot, panel] of Object.entries(layout._plots)) {
    const here = (trace) => trace.xaxis + trace.yaxis === subplot;
    for (const module of new Set(moved.filter(here).map((trace) => trace._module))) {
      const drawn = calcdata.filter(([{ trace }]) => trace.visible === true && trace._module === module && here(trace));
      module.plot(plot, panel, drawn, panel.plot.select(`.${module.layerName ?? `${module.name}layer`}`));
    }
  }
  for (const module of new Set(moved.map((trace) => trace._module))) module.style(plot);
  return true;
}

function isFixed(trace, layout, attributes) {
  if (!ALONE.includes(trace.type) || trace.visible !== true || !attributes.every((name) => MOVABLE.includes(name))) return false;
  const { xaxis, yaxis } = layout._plots[trace.xaxis + trace.yaxis];
  return !xaxis.autorange && !yaxis.autorange && !(trace.coloraxis ? layout[trace.coloraxis].cauto : trace.zauto);
}

// Attributes whose arrays travelled as base64, in place.
function decode(part) {
  for (const [name, { bdata, dtype, shape = "" }] of Object.entries(part).filter(([, value]) => value?.bdata)) {
    const array = new TYPED[dtype](Uint8Array.from(atob(bdata), (one) => one.charCodeAt(0)).buffer);
    const [rows, columns] = shape.split(",").map(Number);
    part[name] = columns ? Array.from({ length: rows }, (_, row) => array.subarray(row * columns, (row + 1) * columns)) : array;
  }
  return part;
}
