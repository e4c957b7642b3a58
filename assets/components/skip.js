// A link for who comes by keyboard: past the menu and the settings, to what moves the page.

// Where a page has it -> what it is called.  A result of the mystery patient has a timeline and no looks.
const GOALS = {
  "[class*='st-key-timeline']": "the timeline",
  ".st-key-network": "the phases",
  ".st-key-bedside .st-key-look": "the looks",
};
const CONTROLS = "input[type=range], button[kind]";

export default function ({ parentElement }) {
  const link = parentElement.querySelector(".skip");
  const goal = () => Object.keys(GOALS).find((one) => document.querySelector(one));
  link.onfocus = () => (link.textContent = `Skip to ${GOALS[goal()] ?? "the timeline"}`);
  link.onclick = (event) => {
    event.preventDefault();
    const box = document.querySelector(goal());
    const inside = [...(box?.querySelectorAll("*") ?? [])].map((element) => element.shadowRoot?.querySelector(CONTROLS) ?? (element.matches(CONTROLS) ? element : null));
    inside.find((element) => element?.offsetParent)?.focus(); // Streamlit draws some buttons twice, one of them hidden
  };
}
