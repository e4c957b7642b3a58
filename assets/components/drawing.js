// A small picture that draws itself, from left to right, when it first comes into sight.  data: {svg, alt}.

const MILLISECONDS = 1600;
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const NOTHING = "inset(0 100% 0 0)", ALL = "inset(0 0 0 0)";
const mounted = new WeakMap(); // parent element -> what watches it

export default function ({ data, parentElement }) {
  const picture = parentElement.querySelector("[role=img]");
  picture.innerHTML = data.svg;
  picture.ariaLabel = data.alt;
  if (mounted.has(parentElement) || CALM.matches) return;
  picture.style.clipPath = NOTHING;
  const watch = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    watch.disconnect();
    picture.style.clipPath = "";
    picture.animate([{ clipPath: NOTHING }, { clipPath: ALL }], { duration: MILLISECONDS, easing: "ease-in-out" });
  }, { threshold: 0.5 }); // half of it
  watch.observe(parentElement);
  mounted.set(parentElement, watch);
  return () => {
    watch.disconnect();
    mounted.delete(parentElement);
  };
}
