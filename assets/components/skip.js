// A link for who comes by keyboard: past the menu and the settings, to the timeline's range.

export default function ({ parentElement }) {
  parentElement.querySelector(".skip").onclick = (event) => {
    event.preventDefault();
    const timeline = document.querySelector("[class*='st-key-timeline']");
    const inside = [...(timeline?.querySelectorAll("*") ?? [])].map((element) => element.shadowRoot?.querySelector("input[type=range]"));
    inside.find(Boolean)?.focus();
  };
}
