// The link as a picture. Always dark on light, whatever the theme: readers of
// such codes expect it.

import { useEffect, useState } from "preact/hooks";

import { text } from "../text";

export function QrCode({ link }: { link: string }) {
  const [drawing, setDrawing] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    let isWanted = true;
    // Only who invites needs the encoder.
    void import("uqr").then(({ encode }) => {
      const { data, size } = encode(link, { border: 2 });
      const path = data.map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")).join("")).join("");
      if (isWanted) setDrawing({ size, path });
    });
    return () => void (isWanted = false);
  }, [link]);
  return (
    <div class="qr">
      {drawing && (
        <svg viewBox={`0 0 ${drawing.size} ${drawing.size}`} role="img" aria-label={text.qr} shape-rendering="crispEdges">
          <path d={drawing.path} />
        </svg>
      )}
    </div>
  );
}
