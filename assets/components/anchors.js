// An anchor of the address opens the part of a lesson that it is in: #try, #why and so on, and those of PLACES.

const PLACES = { "try-this": "try", notes: "cure" };
const TABS = ".st-key-part [role=tab]";
const LATE = 30000, GROWING = 10000; // milliseconds that a page may take to draw its parts, and what is in one

const waiting = new MutationObserver(open);
let givingUp = null;
let loaded = performance.getEntriesByType("navigation")[0]?.name; // a page that mends its address loses the anchor
let anchor = "";

function follow() {
  const mended = loaded && new URL(loaded).pathname === location.pathname ? new URL(loaded).hash : "";
  loaded = null;
  anchor = (location.hash || mended).slice(1);
  if (!anchor) return;
  waiting.observe(document.body, { childList: true, subtree: true, attributeFilter: ["data-test-script-state"] });
  clearTimeout(givingUp);
  givingUp = setTimeout(() => waiting.disconnect(), LATE);
  open();
}

function open() {
  const part = PLACES[anchor] ?? anchor;
  const tab = [...document.querySelectorAll(TABS)].find((one) => one.textContent.trim() === part);
  // A page whose run is cut off by a click may lose the places that the next one draws in.
  if (!tab || document.querySelector("[data-test-script-state]")?.dataset.testScriptState !== "notRunning") return;
  waiting.disconnect();
  const address = new URL(location.href);
  address.hash = ""; // from here on the address says which part is open
  history.replaceState(history.state, "", address);
  tab.click();
  const box = tab.closest(".st-key-part");
  if (box.contains(document.activeElement)) tab.focus({ preventScroll: true }); // what led here goes with its part
  const size = new ResizeObserver(() => box.scrollIntoView({ behavior: "instant" }));
  const stop = () => size.disconnect();
  size.observe(box);
  setTimeout(stop, GROWING);
  for (const moved of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(moved, stop, { once: true, passive: true });
}

export default function () {
  follow();
  window.addEventListener("hashchange", follow);
  return () => window.removeEventListener("hashchange", follow);
}
