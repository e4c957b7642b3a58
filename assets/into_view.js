// What it stands in comes to the upper edge of the window, once: when it appears.

const mounted = new WeakSet();

export default function ({ parentElement }) {
  if (mounted.has(parentElement)) return;
  mounted.add(parentElement);
  requestAnimationFrame(() => parentElement.closest("[class*='st-key-']").scrollIntoView());
}
