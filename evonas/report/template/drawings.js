// Drawings lie in gzipped blocks, a list of SVG texts each: one is unpacked when the first of its drawings is asked for.
const blocks = new Map();

async function unpack(block) {
  const packed = Uint8Array.from(atob(DATA.drawings.blocks[block]), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function drawingOf(row) {
  const number = DATA.drawings.numbers[row];
  if (number === null) return null;
  const size = DATA.drawings.blockSize;
  const block = Math.floor(number / size);
  if (!blocks.has(block)) blocks.set(block, unpack(block));
  const svg = (await blocks.get(block))[number % size];
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  return parsed.tagName === "svg" ? document.importNode(parsed, true) : null;
}

async function fillDrawing(place, row) {
  place.dataset.row = row;
  const drawing = await drawingOf(row);
  if (place.dataset.row !== String(row)) return; // another one was asked for meanwhile
  place.replaceChildren(drawing ?? Object.assign(document.createElement("span"), { className: "missing", textContent: "no drawing" }));
}

function startDrawings() {
  for (const place of document.querySelectorAll("[data-drawing]")) {
    const row = rowOfCandidate(Number(place.dataset.drawing));
    fillDrawing(place, row);
    if (place.tagName === "BUTTON") place.addEventListener("click", () => showCandidate(row, true));
  }
}
