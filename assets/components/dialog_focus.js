// A download button is disabled while its file is made, and the keyboard is then nowhere or on the dialog as a whole:
// Escape closes nothing, and Tab begins at the top.  The button gets the keyboard back.

export default function ({ parentElement }) {
  const dialog = parentElement.closest("[role=dialog]");
  if (!dialog) return;
  let last = null, waiting = null; // what had the keyboard last, and what gets it back
  const remember = ({ target }) => {
    if (target !== dialog) last = target;
  };
  const changed = new MutationObserver(() => {
    if (last?.disabled) waiting = last;
    if (waiting?.disabled !== false) return;
    if ([document.body, dialog].includes(document.activeElement)) waiting.focus({ preventScroll: true });
    waiting = null;
  });
  changed.observe(dialog, { subtree: true, attributeFilter: ["disabled"] });
  dialog.addEventListener("focusin", remember);
  return () => {
    changed.disconnect();
    dialog.removeEventListener("focusin", remember);
  };
}
