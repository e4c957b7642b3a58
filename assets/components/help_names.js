// Streamlit names the help of a setting after the setting, but that of a heading or a line of text only "Help": a list of
// a page's buttons then has it a dozen times.  Here each gets the words beside which it stands.

const UNNAMED = "[data-testid=stTooltipIcon] button[aria-label=Help]";
const TWICE = ".katex-html, annotation"; // of a formula, beside its MathML
const MOST = 80; // characters
const LATER = [0, 500, 2000, 5000]; // milliseconds

function name() {
  for (const button of document.querySelectorAll(UNNAMED)) {
    let box = button.closest("[data-testid=stTooltipIcon]");
    let words = "";
    while (!words && (box = box.parentElement)) words = wordsOf(box);
    button.ariaLabel = `Help for ${words.slice(0, MOST)}`;
  }
}

function wordsOf(box) {
  const copy = box.cloneNode(true);
  for (const one of copy.querySelectorAll(TWICE)) one.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

// Whenever the server has drawn something; some of it, such as formulas, the browser draws later.
export default function () {
  const drawn = new MutationObserver(() => LATER.forEach((wait) => setTimeout(name, wait)));
  drawn.observe(document.querySelector("[data-testid=stApp]"), { attributeFilter: ["data-test-script-state"] });
  document.addEventListener("focusin", name);
  return () => {
    drawn.disconnect();
    document.removeEventListener("focusin", name);
  };
}
