// Links to the page as it stands: the server knows the controls, the address bar what the browser alone knows.  The QR
// code is of the link that results, so the server is asked for it when that is shown.

const WRITE_EVENT = "backprop-clinic:write"; // what is to come into the address comes now
const OFTEN = 200; // milliseconds between two looks at the address
const COULD_NOT = "Your browser does not let a page copy. It is selected: copy it with your keyboard.";

const following = new WeakMap(); // parent element -> the timer that looks whether the address has changed

export default function ({ data, parentElement, setTriggerValue }) {
  clearInterval(following.get(parentElement));
  window.dispatchEvent(new CustomEvent(WRITE_EVENT));
  let shown = null;
  const follow = () => {
    if (location.href === shown) return;
    shown = location.href;
    show(data, parentElement, setTriggerValue);
  };
  follow();
  following.set(parentElement, setInterval(follow, OFTEN));
  return () => clearInterval(following.get(parentElement));
}

function show(data, parentElement, setTriggerValue) {
  const find = (selector) => parentElement.querySelector(selector);
  const short = completed(data.short, data.browsers_own);
  const embedded = new URL(short);
  embedded.searchParams.set("embed", "true");
  const texts = {
    short: short.href,
    full: completed(data.full, data.browsers_own).href,
    embed:
      `<iframe src="${escaped(embedded.href)}" title="${escaped(data.title)}" width="100%" height="800" ` +
      'style="border: 0" allow="fullscreen; clipboard-write"></iframe>',
  };
  const message = find(".message");
  message.textContent = "";
  for (const [name, text] of Object.entries(texts)) {
    const box = find(`#${name}`);
    box.textContent = text;
    find(`button[name=${name}]`).onclick = async () => {
      message.textContent = "";
      try {
        await navigator.clipboard.writeText(text);
        message.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(box);
        message.textContent = COULD_NOT;
      }
    };
  }
  const answered = data.code?.link === texts.short;
  if (!answered) setTriggerValue("link", texts.short);
  const picture = answered ? data.code.picture : null;
  find(".too-long").hidden = !answered || picture !== null;
  const [small, large] = [find("section .code"), find("dialog .code")];
  small.hidden = picture === null;
  small.innerHTML = large.innerHTML = picture ?? "";
  const dialog = find("dialog");
  small.onclick = () => dialog.showModal();
  large.onclick = () => dialog.close();
}

// The server's link with what the address bar has beside it.
function completed(address, names) {
  const link = new URL(address);
  const here = new URL(location.href).searchParams;
  for (const name of names) if (here.has(name)) link.searchParams.set(name, here.get(name));
  return link;
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
