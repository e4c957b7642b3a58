// The link to the page as it stands: the server knows the controls, the address bar what the browser alone knows.

export default function ({ data, parentElement }) {
  const [output, button, message] = ["output", "button", ".message"].map((one) => parentElement.querySelector(one));
  const link = new URL(data.address);
  const here = new URL(location.href).searchParams;
  for (const name of data.browsers_own) if (here.has(name)) link.searchParams.set(name, here.get(name));
  output.textContent = link.href;
  message.textContent = "";
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(link.href);
      message.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(output);
      message.textContent = "Your browser does not let a page copy. The link is selected: copy it with your keyboard.";
    }
  };
}
