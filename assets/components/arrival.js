// Another patient, or a score, has come: it is said, and the keyboard gets a place where its own is gone.

const LONGEST = 3000; // milliseconds until what the page no longer has must be gone

let sentence = null; // what was said last

export default async function ({ data, parentElement }) {
  const before = sentence;
  sentence = data.sentence;
  if (before === null || before === sentence) return;
  parentElement.querySelector("[aria-live]").textContent = sentence;
  const latest = performance.now() + LONGEST;
  while (performance.now() < latest && sentence === data.sentence) {
    const heading = document.querySelector(`.st-key-${data.key} :is(h2, h3)`);
    if (heading && document.activeElement === document.body) {
      heading.tabIndex = -1;
      return heading.focus({ preventScroll: true });
    }
    await new Promise(requestAnimationFrame);
  }
}
