#!/bin/sh
# Everything that reads the code without running it. Each tool says its piece; one objection is enough to fail.
set -u
cd "$(dirname "$0")/.."
status=0

part() {
    printf '\n== %s\n' "$1"
    shift
    "$@" || status=1
}

djade_check() { git ls-files -z 'templates/*.html' | xargs -0 djade --check; }

part "ruff" ruff check .
part "ruff format" ruff format --check --quiet .
part "djade" djade_check
part "mypy" mypy canvas dreamer dreamsite gallery tests/bench/dream.py tests/bench/torch_reference.py
part "tsc" npm run --silent check
exit $status
