// The container that it stands in comes to the upper edge of the window, once: when it appears.

const KEYED = "[class*='st-key-']";
const mounted = new WeakSet();

export default function ({ parentElement }) {
  if (mounted.has(parentElement)) return;
  mounted.add(parentElement);
  requestAnimationFrame(() => parentElement.closest(KEYED).parentElement.closest(KEYED).scrollIntoView());
}
