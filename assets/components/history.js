// One entry in the browser's history for each thing that a visitor does, so that Back leads back, once.
//
// Left alone, Streamlit replaces the entry where a control is moved, so that Back cannot undo it, and makes two or three
// where a page is left for another: the old page without its parameters, the new page's parameters on the old page, the
// new page.  Here the first change of the address after a key or a press makes an entry, and all that follow from it
// change that entry.  What nobody has asked for, as where a page mends the address that it was opened with, makes none.

const BROWSERS_OWN = ["timeline", "phase"]; // parameters that a page's component writes as it goes, without an entry

const ARRIVED = 0, ACTED = 1, WRITTEN = 2; // came to this entry; did something since; and that has made its entry

export default function () {
  if (window.backpropClinicHistory) return; // of all pages; it stays when this component goes
  window.backpropClinicHistory = true;
  const original = { pushState: history.pushState.bind(history), replaceState: history.replaceState.bind(history) };
  let stage = ARRIVED;
  let pressed = false; // and the click of that press has not come yet
  const act = ({ type, isTrusted }) => {
    if (!isTrusted) return; // a script's, as where an anchor opens its part
    if (type !== "click" || !pressed) stage = ACTED; // a screen reader clicks without a press
    pressed = type !== "click";
  };
  for (const kind of ["pointerdown", "keydown", "click"]) window.addEventListener(kind, act, true);
  const unmended = entryBeforeMending();
  window.addEventListener(
    "popstate",
    (event) => {
      stage = ARRIVED;
      if (!unmended || window.navigation.currentEntry.key !== unmended) return;
      event.stopImmediatePropagation();
      history.back();
    },
    true,
  );

  function write(state, title, url) {
    const to = new URL(url ?? location.href, location.href);
    if (without(to) === without(new URL(location.href))) return original.replaceState(state, title, url);
    const elsewhere = to.pathname !== location.pathname;
    const adds = stage === ACTED || (stage === ARRIVED && elsewhere);
    if (stage === ACTED) stage = WRITTEN;
    else if (elsewhere) stage = ARRIVED;
    original[adds ? "pushState" : "replaceState"](state, title, url);
  }
  history.pushState = write;
  history.replaceState = write;
}

// The first page may have mended its address before this was here: then Back goes on from the entry that it was loaded
// with, unless there is nothing before that.
function entryBeforeMending() {
  const navigation = window.navigation; // not every browser has it yet; there Back has to be pressed again
  const before = navigation?.entries()[navigation.currentEntry.index - 1];
  const loaded = performance.getEntriesByType("navigation")[0]?.name;
  return before && before.sameDocument && before.url === loaded && history.length > 2 ? before.key : null;
}

// The address without the browser's own parameters.
function without(url) {
  const copy = new URL(url);
  for (const name of BROWSERS_OWN) copy.searchParams.delete(name);
  copy.searchParams.sort();
  return copy.href;
}
