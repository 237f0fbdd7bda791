#!/usr/bin/env bash
# Builds the web page into web/page/dist, from where the next build of the
# server takes it. Without npm it says so and leaves everything as it is.
set -euo pipefail
cd "$(dirname "$0")/../web"

if ! command -v npm >/dev/null; then
    echo "no npm here: the server is built without its web page" >&2
    exit 0
fi
if ! cmp --silent package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund --silent
    cp package-lock.json node_modules/.installed-lock.json
fi
# Nothing newer than the last build: nothing to do.
if [ -e page/dist/index.html ] && [ -z "$(find page client/src page/index.html package-lock.json \
    -path '*/node_modules' -prune -o -path page/dist -prune -o -type f -newer page/dist/index.html -print -quit)" ]; then
    exit 0
fi
npm run --silent --workspace page build
