// Two buttons that tell the server which network is to be opened, and at which of the timeline's steps.

export default function ({ parentElement, setTriggerValue }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => {
      const step = Number(document.documentElement.dataset.backpropClinicStep ?? 0);
      setTriggerValue("look", { who: button.name, step });
    };
  }
}
