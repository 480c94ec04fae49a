#!/bin/sh
# What `make test` runs: brings programs that are missing where it may, then lint, the browser modules, and pytest.
set -eu
cd "$(dirname "$0")/.."

# Hundreds of processes are started: what they import is compiled once, whatever the machine says.
unset PYTHONDONTWRITEBYTECODE

log=$(mktemp)
lint=""
clean() {
    rm -f "$log"
    [ -z "$lint" ] || kill "$lint" 2>/dev/null || true
}
trap clean EXIT

sh tests/programs.sh

# Each part runs whatever the others say, so that one run tells everything. What reads the code does so beside pytest,
# with what that leaves of the machine, and is heard after it.
status=0
nice sh tests/lint.sh >"$log" 2>&1 &
lint=$!

printf '\n== node\n'
node --test --test-reporter=dot tests/js/*.test.mjs || { status=1; echo "tests of the browser modules failed"; }

printf '\n== pytest\n'
# A file's tests share a running site, so a file stays with one worker. There is one worker more than there are cores:
# much of their time they wait for sites and browsers.
workers=$(($(nproc) + 1))
tests=0
rm -f .pytest_cache/v/cache/lastfailed # what failed in an earlier run is none of this one's
python -m pytest -n "$((workers < 5 ? workers : 5))" --dist loadfile --no-loadscope-reorder "$@" || tests=$?

# On a machine that others use, too, a deadline of a browser may pass by chance. Up to three that failed are tried once
# more, alone: who passes then is named, to be mended, and everybody who fails twice has failed.
failed=$(python -c 'import json; print(len(json.load(open(".pytest_cache/v/cache/lastfailed"))))' 2>/dev/null || echo 0)
if [ "$tests" = 1 ] && [ "$failed" -ge 1 ] && [ "$failed" -le 3 ]; then
    printf '\n== pytest, what failed once more, alone\n'
    unsound=$(python -c 'import json; print(*json.load(open(".pytest_cache/v/cache/lastfailed")), sep="\n")')
    tests=0
    python -m pytest -n 0 --last-failed "$@" || tests=$?
    [ "$tests" != 0 ] || printf '\nPassed alone and failed beside others (each is a fault to be found):\n%s\n' "$unsound"
fi
[ "$tests" = 0 ] || status=1

wait "$lint" || { status=1; echo "lint failed" >>"$log"; }
lint=""
cat "$log"
exit $status
