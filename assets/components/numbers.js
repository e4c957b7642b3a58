// Numbers as a sentence says them: two significant digits, as engine/formatting.py and pages/text/labels.py write them.

const TIMES = "\u00a0×\u00a0"; // a number is not cut in two at the end of a line
const PARTS = [[-2, "hundredth"], [-3, "thousandth"], [-6, "millionth"], [-9, "billionth"]];

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

// A share of something: 2.7 millionths, 0.62, 3.2 times.
function shareInWords(value) {
  const [mantissa, power] = value.toExponential(1).split("e");
  const rounded = Number(`${mantissa}e${power}`); // first, so that 0.0999 is said as the 0.1 that it is shown as
  if (rounded === 0) return "nothing";
  if (rounded >= 0.1) return rounded < 1 ? numberInWords(rounded) : `${numberInWords(rounded)} times`;
  for (const [exponent, part] of PARTS) {
    const multiple = numberInWords(Number(`${mantissa}e${power - exponent}`));
    // 0.71 millionths reads better than 710 billionths
    if (rounded >= 10 ** exponent * (exponent < -3 ? 0.1 : 1)) return multiple === "1" ? `a ${part}` : `${multiple} ${part}s`;
  }
  return numberInWords(value);
}
