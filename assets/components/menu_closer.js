// On a phone the menu lies over the page; it closes when another page comes.

const NARROW = matchMedia("(max-width: 48rem)"); // where Streamlit lays it over the page
const CLOSE = "button[aria-label='Collapse sidebar'][aria-expanded=true]";

export default function ({ data }) {
  const here = document.documentElement.dataset;
  const before = here.backpropClinicPage;
  here.backpropClinicPage = data;
  // Who is faster than the first page may have opened the menu already.
  if (before && before !== data && NARROW.matches) document.querySelector(CLOSE)?.click();
}
