import type { FlameNode } from './tree-of.ts';

const width = 1_200;
const rowHeight = 17;
const top = 40;
/** What is narrower than this many pixels cannot be seen. */
const narrowest = 0.3;
const letterWidth = 6.4;

interface Box {
  readonly node: FlameNode;
  readonly depth: number;
  readonly x: number;
}

/**
 * A call tree as a flame graph: one SVG file with nothing outside of it. A box is as wide as the time in a function and
 * in what it called; who called whom is above. A click shows what is below a box alone, another on the first row
 * everything again.
 */
export function renderFlame(root: FlameNode, title: string): string {
  const scale = width / root.total;
  const boxes: Box[] = [];
  function place(node: FlameNode, depth: number, x: number): void {
    if (node.total * scale < narrowest) return;
    boxes.push({ node, depth, x });
    let left = x;
    for (const child of node.children) {
      place(child, depth + 1, left);
      left += child.total * scale;
    }
  }
  place(root, 0, 0);
  const height = top + rowHeight * (1 + Math.max(...boxes.map(({ depth }) => depth)));
  const drawn = boxes.map((box) => drawBox(box, root, scale)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="monospace" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="22" font-size="14">${escapeXml(title)}: ${root.total.toFixed(0)} ms of CPU</text>
${drawn}
<script><![CDATA[
${script}
]]></script>
</svg>
`;
}

function drawBox({ node, depth, x }: Box, root: FlameNode, scale: number): string {
  const wide = node.total * scale;
  const share = ((100 * node.total) / root.total).toFixed(1);
  const place = node.place === '' ? '' : ` (${node.place})`;
  const label = `${node.name}${place}: ${node.total.toFixed(1)} ms, ${share} %, itself ${node.self.toFixed(1)} ms`;
  const y = top + depth * rowHeight;
  return (
    `<g class="b" data-x="${x.toFixed(2)}" data-w="${wide.toFixed(2)}" data-d="${depth}" data-n="${escapeXml(node.name)}">` +
    `<title>${escapeXml(label)}</title>` +
    `<rect x="${x.toFixed(2)}" y="${y}" width="${wide.toFixed(2)}" height="${rowHeight - 1}" fill="${colourOf(node)}"/>` +
    `<text x="${(x + 3).toFixed(2)}" y="${y + 12}" pointer-events="none">${escapeXml(fitting(node.name, wide))}</text></g>`
  );
}

/** By where the code is from: our own, libraries and Node, V8 itself. */
function colourOf({ place, name }: FlameNode): string {
  if (name === '(garbage collector)') return '#e66';
  if (place === '') return '#ccc';
  return place.startsWith('node:') ? '#9cd' : '#fb6';
}

function fitting(name: string, wide: number): string {
  const letters = Math.floor((wide - 4) / letterWidth);
  if (letters < 3) return '';
  return name.length <= letters ? name : `${name.slice(0, letters - 1)}…`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** In the picture: makes the box that was clicked as wide as the picture, and hides what is not below or above it. */
const script = `const boxes = [...document.querySelectorAll('.b')];
for (const box of boxes) box.addEventListener('click', () => zoom(box));
function zoom({ dataset }) {
  const from = Number(dataset.x), wide = Number(dataset.w), depth = Number(dataset.d), scale = ${width} / wide;
  for (const { dataset: d, style, children: [, rect, text] } of boxes) {
    const above = Number(d.d) < depth;
    const x = Math.max(0, (Number(d.x) - from) * scale);
    const w = Math.min(${width} - x, Number(d.w) * scale);
    const apart = Number(d.x) + Number(d.w) <= from + 0.01 || Number(d.x) >= from + wide - 0.01;
    style.display = apart ? 'none' : '';
    const shown = above ? ${width} : w;
    rect.setAttribute('x', above ? 0 : x);
    rect.setAttribute('width', Math.max(0, shown));
    text.setAttribute('x', (above ? 0 : x) + 3);
    const letters = Math.floor((shown - 4) / ${letterWidth});
    text.textContent = letters < 3 ? '' : d.n.length <= letters ? d.n : d.n.slice(0, letters - 1) + '…';
  }
}`;
