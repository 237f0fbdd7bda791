// The link as a picture. Always dark on light, whatever the theme: readers of
// such codes expect it.

import { generate } from "lean-qr/nano";

import { text } from "../text";

export function QrCode({ link }: { link: string }) {
  const code = generate(link);
  const { size } = code;
  const places = Array.from({ length: size * size }, (_, at) => [at % size, Math.floor(at / size)] as const);
  const path = places.map(([x, y]) => (code.get(x, y) ? `M${x} ${y}h1v1h-1z` : "")).join("");
  return (
    <div class="qr">
      <svg viewBox={`-3 -3 ${size + 6} ${size + 6}`} role="img" aria-label={text.qr} shape-rendering="crispEdges">
        <path d={path} />
      </svg>
    </div>
  );
}
