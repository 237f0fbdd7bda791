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

/** Of engine.io-client only what the page speaks: WebSocket, and polling by `fetch`, the smaller way. */
function transports(): Plugin {
  const stands: Record<string, string> = {
    "./polling-xhr.node.js": "export { Fetch as XHR } from './polling-fetch.js'",
    "./webtransport.js": "export const WT = undefined",
  };
  return {
    name: "transports",
    enforce: "pre",
    resolveId: (name, importer) =>
      stands[name] && importer?.endsWith("/transports/index.js") ? path.resolve(path.dirname(importer), `${name}.stand.js`) : null,
    load(id) {
      const name = `.${/\/[^/]+(?=\.stand\.js$)/.exec(id)?.[0]}`;
      return stands[name] ?? null;
    },
  };
}

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox123", "safari17.5"],
    emptyOutDir: true,
    modulePreload: false,
    minify: "terser",
    terserOptions: {
      module: true,
      compress: { passes: 3, ecma: 2020, unsafe_arrows: true, unsafe_methods: true },
      // By the custom of socket.io, such names are nobody else's.
      mangle: { properties: { regex: /^_[a-z]/i, keep_quoted: true } },
    },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // Its modules do nothing that is not asked for, though they do not say so.
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !id.includes("engine.io-client") } },
  },
  // For work on the page: the server answers what the page asks.
  server: {
    proxy: {
      "/api": "http://127.0.0.1:3000",
      "/socket.io": { target: "http://127.0.0.1:3000", ws: true },
    },
  },
  // Its sources: one build less to wait for, and only what is used of it.
  resolve: {
    alias: { "cardroom-client": path.resolve(import.meta.dirname, "../client/src/index.ts") },
  },
  plugins: [transports(), packed()],
});
