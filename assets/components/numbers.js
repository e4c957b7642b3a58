// Numbers and words as a sentence says them: two significant digits, as engine/formatting.py and pages/text/labels.py
// write them.

const TIMES = "\u00a0×\u00a0"; // a number is not cut in two at the end of a line
const MILLIONTH = 1e-6;

// 0.62, 3.2, 120, 2.7 × 10⁻⁶; of a number that is not negative.
function numberInWords(value) {
  if (value === 0) return "0";
  const [mantissa, power] = value.toExponential(1).split("e");
  const exponent = Number(power);
  if (exponent >= -3 && exponent < 5) {
    const text = Number(`${mantissa}e${power}`).toFixed(Math.max(1 - exponent, 0));
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }
  return `${mantissa.replace(/\.0$/, "")}${TIMES}${powerOfTen(exponent)}`;
}

// 10⁻⁶; the exponent is whole.
function powerOfTen(exponent) {
  return `10${[...String(exponent)].map((one) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(one)]).join("")}`;
}

// A share of something: 3.2 times, 0.62, 0.00044, 2.7 millionths.
function shareInWords(value) {
  const rounded = Number(value.toExponential(1)); // first, so that 0.999 is said as the 1 that it is shown as
  if (rounded === 0) return "nothing";
  if (rounded >= 1) return `${numberInWords(rounded)} times`;
  if (rounded >= 100 * MILLIONTH) return String(rounded);
  if (rounded < MILLIONTH) return numberInWords(value);
  const multiple = numberInWords(rounded / MILLIONTH);
  return multiple === "1" ? "a millionth" : `${multiple} millionths`;
}

// A text with its words of the glossary as links, see explanations.js.
function linked(text) {
  return text.replace(/\[(.+?)\]\((#word-.+?)\)/g, '<a href="$2">$1</a>');
}
