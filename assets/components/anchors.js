// An anchor of the address opens the part of a lesson that it is in: #try, #why and so on, and those of PLACES.

const PLACES = { "try-this": "try", notes: "cure" };
const TABS = ".st-key-part [role=tab]";
const LATE = 30000, GROWING = 10000; // milliseconds that a page may take to draw its parts, and what is in one

let followed = ""; // it is followed once, not whenever the lesson is drawn anew

function follow() {
  const name = location.hash.slice(1);
  const part = PLACES[name] ?? name;
  const open = () => {
    const tab = [...document.querySelectorAll(TABS)].find((one) => one.textContent.trim() === part);
    if (!tab) return;
    waiting.disconnect();
    tab.click();
    const box = tab.closest(".st-key-part");
    const size = new ResizeObserver(() => box.scrollIntoView({ behavior: "instant" }));
    const stop = () => size.disconnect();
    size.observe(box);
    setTimeout(stop, GROWING);
    for (const moved of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(moved, stop, { once: true, passive: true });
  };
  const waiting = new MutationObserver(open);
  if (!name || followed === location.href) return;
  followed = location.href;
  waiting.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => waiting.disconnect(), LATE);
  open();
}

export default function () {
  follow();
  window.addEventListener("hashchange", follow);
  return () => window.removeEventListener("hashchange", follow);
}
