// On the stage Space plays: so the keyboard does not stay on the button that has led there, where Space would lead away
// again, nor, on the way back, on the same button where it was clicked.

const BUTTON = ".st-key-stage_view button";

const mounted = new WeakSet(); // parent elements

function clicked({ target, detail }) {
  if (detail) target.closest?.(BUTTON)?.blur(); // by pointer
}

export default function ({ parentElement }) {
  if (!mounted.has(parentElement) && document.activeElement?.matches(BUTTON)) {
    document.querySelector("[data-testid=stMain]").focus({ preventScroll: true });
  }
  mounted.add(parentElement);
  document.addEventListener("click", clicked);
  return () => document.removeEventListener("click", clicked);
}
