// On a narrow screen, where a visit's steps lie below each other: each is one tap away.

export default function ({ parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => {
      const step = document.querySelector(`.st-key-${button.dataset.to}`);
      step.scrollIntoView({ block: "start", behavior: "instant" });
      const heading = step.querySelector("h2");
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    };
  }
}
