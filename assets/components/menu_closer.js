// Another page begins at its top, and not as far down as the last one was left.  The menu closes where the page needs its
// room: on a phone, where Streamlit lays it over the page, and where it would leave charts less than a row.

const NARROW = matchMedia("(max-width: 79.99rem)");
const BESIDE = matchMedia("(min-width: 48.01rem) and (max-width: 79.99rem)"); // where Streamlit lays it beside the page
const TURNED = 300; // milliseconds
const CLOSE = "button[aria-label='Collapse sidebar'][aria-expanded=true]";
const OPEN = "[data-testid=stExpandSidebarButton]";

let closed = false; // for want of room, so that it opens where there is some again

function close() {
  const button = document.querySelector(CLOSE);
  closed ||= Boolean(button);
  button?.click();
}

NARROW.onchange = () => {
  if (NARROW.matches) close();
  else if (closed) document.querySelector(OPEN)?.click();
  closed &&= NARROW.matches;
};

// Streamlit opens the menu of a phone that is turned on its side, after this is told of it.
BESIDE.onchange = () => setTimeout(() => BESIDE.matches && close(), TURNED);

// Whether the menu is folded, for style.css: Streamlit's header has a button then that opens it.
const folded = new MutationObserver(tellFolded);

function tellFolded() {
  document.documentElement.toggleAttribute("data-backprop-clinic-folded", Boolean(document.querySelector(OPEN)));
}

export default function ({ data }) {
  // Streamlit's dialogs lie outside of its app, which alone has the theme's colour scheme: the tokens hang on it.
  document.documentElement.style.colorScheme = getComputedStyle(document.querySelector(".stApp")).colorScheme;
  folded.observe(document.querySelector(".stAppHeader"), { childList: true, subtree: true });
  tellFolded();
  const here = document.documentElement.dataset;
  const before = here.backpropClinicPage;
  here.backpropClinicPage = data;
  if (before === data) return;
  // Who is faster than the first page may have opened the menu of a phone, which begins closed, already.
  if ((before ? NARROW : BESIDE).matches) close();
  if (before) document.querySelector("[data-testid=stMain]").scrollTo({ top: 0, behavior: "instant" });
}
