// The link to the page as it stands: the server knows the controls, the address bar what the browser alone knows.

export default function ({ data, parentElement }) {
  const [output, button, said] = ["output", "button", ".said"].map((one) => parentElement.querySelector(one));
  const link = new URL(data.address);
  const here = new URL(location.href).searchParams;
  for (const name of data.browsers_own) if (here.has(name)) link.searchParams.set(name, here.get(name));
  output.textContent = link.href;
  said.textContent = "";
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(link.href);
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(output);
      said.textContent = "Your browser does not let a page copy. The link is selected: copy it with your keyboard.";
    }
  };
}
