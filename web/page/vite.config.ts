import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { defineConfig, type Plugin } from "vite";

/** All files of the page together, packed with gzip. */
const PAGE_BYTES_MAX = 60 * 1024;
/** What is packed already would only grow. */
const PACKED = /\.(woff2|png)$/;

/** Packs every file beside itself, and says how large the page has become. */
function packed(): Plugin {
  let folder = "";
  return {
    name: "packed",
    apply: "build",
    configResolved: (config) => void (folder = path.resolve(config.root, config.build.outDir)),
    closeBundle() {
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      const files = names.map((name) => path.join(folder, name)).filter((file) => statSync(file).isFile());
      let total = 0;
      for (const file of files.filter((file) => !/\.(br|gz)$/.test(file)).sort()) {
        const plain = readFileSync(file);
        let size = plain.length;
        if (!PACKED.test(file)) {
          const gzip = gzipSync(plain, { level: 9 });
          writeFileSync(`${file}.gz`, gzip);
          writeFileSync(`${file}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }));
          size = gzip.length;
        }
        total += size;
        console.log(`${String(size).padStart(7)} B gzip  ${path.relative(folder, file)}`);
      }
      console.log(`${String(total).padStart(7)} B gzip  in all; the limit is ${PAGE_BYTES_MAX}`);
      if (PAGE_BYTES_MAX < total) throw new Error("the page is larger than its limit");
    },
  };
}

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox123", "safari17.5"],
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  // For work on the page: the server answers what the page asks.
  server: {
    proxy: {
      "/api": "http://127.0.0.1:3000",
      "/socket.io": { target: "http://127.0.0.1:3000", ws: true },
    },
  },
  // Its sources: one build less to wait for, and only what is used of it.
  resolve: { alias: { "cardroom-client": path.resolve(import.meta.dirname, "../client/src/index.ts") } },
  plugins: [packed()],
});
