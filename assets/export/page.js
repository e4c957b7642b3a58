// Mounts the components of a saved page: timeline, strip and charts, as Streamlit mounts them in the app.
//
// components and NO_HISTORY are made before this; see pages/export/page_html.py.

async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

// As Streamlit does: in a shadow tree with the component's style, or, for charts, within the page's own.
function mount(name, place, data, isolated = true) {
  const { html, css, mount: run } = components[name];
  const parentElement = isolated ? place.attachShadow({ mode: "open" }) : place;
  parentElement.innerHTML = (isolated ? `<style>${css}</style>` : "") + html;
  run({ data, parentElement, setTriggerValue() {} });
}

async function open() {
  const data = JSON.parse(await unpacked("data"));
  const bytes = (text) => new TextEncoder().encode(text);
  document.documentElement.dataset.backpropClinicLink = data.link;
  mount("timeline", document.getElementById("timeline"), data.timeline);
  mount("strip", document.getElementById("strip"), bytes(data.strip));
  mount("chart", document.body.appendChild(document.createElement("span")), null, false); // what draws charts, and their style
  for (const place of document.querySelectorAll("[data-chart]")) {
    mount("chart_place", place, bytes(data.charts[place.dataset.chart]), false);
  }
  await document.fonts.load('1rem "Source Sans"'); // Plotly measures its text
  const plotly = document.createElement("script");
  plotly.textContent = await unpacked("plotly");
  document.head.append(plotly);
}

open().catch((error) => {
  document.querySelector(".charts").textContent = `This browser cannot draw the charts: ${error.message}`;
});
