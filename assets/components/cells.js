// Cells, one a layer of a network: how bright a number is drawn, from dark (little) to light (much).

// Viridis at equal distances: perceptually uniform, and readable without red-green vision.
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

// The colour of a share between 0 and 1; NaN and what is outside go to the nearer end.
function shade(share) {
  const at = Math.min(Math.max(share || 0, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const channel = (color, part) => parseInt(color.slice(1 + 2 * part, 3 + 2 * part), 16);
  const mix = (part) => Math.round(channel(VIRIDIS[low], part) + (at - low) * (channel(VIRIDIS[low + 1], part) - channel(VIRIDIS[low], part)));
  return `rgb(${mix(0)}, ${mix(1)}, ${mix(2)})`;
}

// Where a positive number stands between two powers of ten; 0 where there is nothing, and for what is below.
function logShare(value, [low, high]) {
  return value > 0 ? (Math.log10(value) - low) / (high - low) : 0;
}
