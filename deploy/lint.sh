#!/bin/sh
# Everything that reads the code without running it. Each tool says its piece; the first that objects ends it.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$1"; }

say "ruff"
ruff check .
ruff format --check .

say "djade"
git ls-files -z 'templates/*.html' | xargs -0 djade --check

say "mypy"
mypy canvas dreamer dreamsite gallery

say "tsc"
# Exact versions stand in package.json; a lock file would hold addresses of whoever wrote it.
if [ ! -x node_modules/.bin/tsc ] || [ package.json -nt node_modules/.installed ]; then
    npm install --silent --no-package-lock --no-audit --no-fund --ignore-scripts
    touch node_modules/.installed
fi
npm run --silent check
