// The clicker: Page down and Page up, which every presenter's remote sends, lead on and back; and the speaker's clock.
// And the list of scenes closes when one is chosen from it, or it would lie over that.  Who clicks a button of the bar can
// press Space then, which plays; the keyboard stays on it for who has come to it by the keyboard.

const mounted = new WeakMap(); // parent element -> what stops it

const USES_KEYS = "textarea, select, [contenteditable], [role=dialog], [role=listbox], input:not([type=range], [type=radio])";
const KEYS = { PageDown: 1, PageUp: -1 };
const LIST = ".st-key-scenes button";
const WAYS = `.st-key-ways button:not(${LIST})`;

export default function ({ data, parentElement, setTriggerValue }) {
  mounted.get(parentElement)?.();
  const turn = (event) => {
    const by = KEYS[event.key];
    if (!by || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.composedPath()[0].closest?.(USES_KEYS)) return;
    event.preventDefault();
    setTriggerValue("turn", { by, at: event.timeStamp }); // two presses are never of the same time
  };
  document.addEventListener("keydown", turn);
  const choose = (event) => chosen(event); // its own: the one before is stopped after this has begun
  document.addEventListener("click", choose);
  const clock = parentElement.querySelector(".clock");
  clock.setAttribute("aria-keyshortcuts", Object.keys(KEYS).join(" "));
  const ticking = data.clock ? tick(clock, data.clock) : null;
  const stop = () => {
    document.removeEventListener("keydown", turn);
    document.removeEventListener("click", choose);
    clearInterval(ticking);
  };
  mounted.set(parentElement, stop);
  return stop;
}

function chosen({ target, detail }) {
  const byPointer = detail > 0;
  if (byPointer) target.closest?.(WAYS)?.blur();
  if (!target.closest?.("[class*=st-key-to_scene_] button")) return;
  const list = document.querySelector(LIST);
  list.click();
  if (!byPointer) list.focus({ preventScroll: true });
}

// Minutes since the lecture was begun in this tab, of those that it takes.
function tick(clock, { lecture, minutes }) {
  const key = `backprop-clinic-lecture-${lecture}`;
  const began = Number(sessionStorage.getItem(key)) || Date.now();
  sessionStorage.setItem(key, began);
  const show = () => {
    const seconds = Math.floor((Date.now() - began) / 1000);
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} of ${minutes} min`;
  };
  clock.hidden = false;
  show();
  return setInterval(show, 1000);
}
