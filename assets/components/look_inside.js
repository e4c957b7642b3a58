// Two links into the networks.  The timeline's step is known in the browser alone, and joins them when they are used.

const STEP_EVENT = "backprop-clinic:step";

const mounted = new WeakMap(); // parent element -> what listens

export default function ({ data, parentElement }) {
  window.removeEventListener(STEP_EVENT, mounted.get(parentElement));
  const links = ["patient", "treated"].map((name) => parentElement.querySelector(`#${name}`));
  const address = () => {
    const step = Number(document.documentElement.dataset.backpropClinicStep ?? 0);
    for (const link of links) {
      const url = new URL(location.pathname.replace(/[^/]*$/, data.page), location.origin);
      url.search = data[link.id];
      if (step) url.searchParams.set("step", step);
      link.href = url;
    }
  };
  address();
  window.addEventListener(STEP_EVENT, address);
  mounted.set(parentElement, address);
  for (const link of links) {
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // another tab or window
      event.preventDefault();
      document.querySelector(".st-key-header").scrollIntoView(); // the next page would begin as far down as this one
      // One entry in the history, and Streamlit opens what it names; its own way to another page makes three.
      history.pushState({}, "", link.href);
      dispatchEvent(new PopStateEvent("popstate"));
    };
  }
  return () => window.removeEventListener(STEP_EVENT, address);
}
