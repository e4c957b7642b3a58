// Another page begins at its top, and not as far down as the last one was left.  On a phone the menu, which lies over the
// page, closes.

const NARROW = matchMedia("(max-width: 48rem)"); // where Streamlit lays it over the page
const CLOSE = "button[aria-label='Collapse sidebar'][aria-expanded=true]";

export default function ({ data }) {
  const here = document.documentElement.dataset;
  const before = here.backpropClinicPage;
  here.backpropClinicPage = data;
  if (!before || before === data) return; // who is faster than the first page may have opened the menu already
  document.querySelector("[data-testid=stMain]").scrollTo({ top: 0, behavior: "instant" });
  if (NARROW.matches) document.querySelector(CLOSE)?.click();
}
