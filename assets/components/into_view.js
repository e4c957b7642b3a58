// The container that it stands in comes into the window, once: when it appears.  data: to which edge, "start" or
// "nearest", as of scrollIntoView.

const KEYED = "[class*='st-key-']";
const AIR = 8; // pixels, below a header that covers the page
const GROWING = 1500; // milliseconds in which what is drawn in the container may still make it larger
const mounted = new WeakSet();

export default function ({ data, parentElement }) {
  if (mounted.has(parentElement)) return;
  mounted.add(parentElement);
  const box = parentElement.closest(KEYED).parentElement.closest(KEYED);
  const header = document.querySelector(".stAppHeader");
  const covered = header && getComputedStyle(header).pointerEvents !== "none" ? header.offsetHeight + AIR : 0;
  if (parseFloat(getComputedStyle(box).scrollMarginTop) < covered) box.style.scrollMarginTop = `${covered}px`;
  const stop = () => size.disconnect();
  const size = new ResizeObserver(() => box.scrollIntoView({ block: data, behavior: "instant" }));
  size.observe(box); // which calls it at once
  setTimeout(stop, GROWING);
  for (const moved of ["wheel", "touchmove", "keydown"]) addEventListener(moved, stop, { once: true, passive: true });
}
