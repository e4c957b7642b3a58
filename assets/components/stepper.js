// What is gone through step by step: with a range, with buttons to the ends and to either side, by playing, with Space.
//
// Who extends it sets index and steps, and has go(index), play(), the words of the position, and the parameter of the
// address that has it: its name and its text, null where the address says nothing.

const ANNOUNCE_AFTER = 500; // milliseconds of rest before the position is spoken and written into the address
const WRITE_EVENT = "backprop-clinic:write"; // somebody reads the address, and needs the position in it

const USES_SPACE =
  "input, textarea, select, button, a, summary, [contenteditable], [role=dialog], [role=button], [role=slider], " +
  "[role=tab], [role=radio], [role=checkbox], [role=switch], [role=combobox], [role=option]";
const USES_ARROWS =
  "input, textarea, select, [contenteditable], [role=dialog], [role=slider], [role=tab], [role=radio], " +
  "[role=combobox], [role=option], [role=menuitem]";

class Stepper {
  constructor(root) {
    this.root = root;
    this.range = root.querySelector("input[type=range]");
    this.live = root.querySelector("[aria-live]");
    this.buttons = Object.fromEntries([...root.querySelectorAll(".buttons button")].map((one) => [one.name, one]));
    this.playing = this.landing = null;
    this.range.addEventListener("input", () => this.byHand(Number(this.range.value)));
    const moves = { first: () => 0, back: () => this.index - 1, forward: () => this.index + 1, last: () => this.last };
    for (const [name, move] of Object.entries(moves)) this.buttons[name].addEventListener("click", () => this.byHand(move()));
    this.buttons.play.addEventListener("click", () => this.toggle());
    this.onKey = (event) => {
      this.space(event);
      this.arrow(event);
    };
    document.addEventListener("keydown", this.onKey);
    this.onWrite = () => this.write();
    window.addEventListener(WRITE_EVENT, this.onWrite);
  }

  stop() {
    this.playing = this.landing = null; // and nothing more: the address may be another page's already
    clearTimeout(this.announcement);
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener(WRITE_EVENT, this.onWrite);
  }

  get last() {
    return this.steps.length - 1;
  }

  byHand(index) {
    this.pause();
    this.go(index);
  }

  toggle() {
    this.playing ? this.pause() : this.play();
  }

  pause() {
    if (!this.playing) return;
    this.playing = null;
    this.name("Play");
    this.announce();
  }

  name(word) {
    this.buttons.play.setAttribute("aria-label", word);
    this.buttons.play.title = word;
  }

  // Range and buttons at a position with these words.
  showPosition(words) {
    this.range.value = this.index;
    this.range.setAttribute("aria-valuetext", words);
    const focused = this.root.activeElement;
    this.buttons.first.disabled = this.buttons.back.disabled = this.index === 0;
    this.buttons.last.disabled = this.buttons.forward.disabled = this.index === this.last;
    this.buttons.play.disabled = this.last === 0;
    if (focused?.disabled) this.range.focus({ preventScroll: true }); // the keyboard stays here
  }

  announce() {
    clearTimeout(this.announcement);
    if (this.playing) return;
    this.announcement = setTimeout(() => {
      this.live.textContent = this.words;
      this.write();
    }, ANNOUNCE_AFTER);
  }

  // The position into the address, without an entry in the history.
  write() {
    if (this.playing || this.landing || !this.root.host.isConnected) return;
    const address = new URL(location.href);
    const [name, text] = this.parameter;
    if (text === null) address.searchParams.delete(name);
    else address.searchParams.set(name, text);
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  }

  // Space plays and pauses, from the range and from anything that has no use for it.
  space(event) {
    if (!isFreeSpace(event, this.range)) return;
    event.preventDefault();
    if (!this.buttons.play.disabled) this.toggle();
  }

  // Arrows step, from anything that has no use for them.
  arrow(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.composedPath()[0].closest?.(USES_ARROWS)) return;
    event.preventDefault();
    this.byHand(this.index + by);
  }
}

// Whether a key is Space, pressed where nothing else has a use for it.
function isFreeSpace(event, range = null) {
  if (event.key !== " " || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
  const target = event.composedPath()[0];
  return target === range || !target.closest?.(USES_SPACE);
}

// Whether little motion is asked for.
function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
