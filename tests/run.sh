#!/bin/sh
# What `make test` runs: brings what is missing where it may, then lint, the browser modules, and pytest.
set -eu
cd "$(dirname "$0")/.."

# Hundreds of processes are started: what they import is compiled once, whatever the machine says.
unset PYTHONDONTWRITEBYTECODE

here() { command -v "$1" >/dev/null; }
may_install() { [ "$(id -u)" = 0 ] && here apt-get; }
chromium() { here chromium || here google-chrome; }
log=$(mktemp)
policy=""
lint=""
clean() {
    rm -f "$log" $policy
    [ -z "$lint" ] || kill "$lint" 2>/dev/null || true
}
trap clean EXIT

# A browser, Redis, PostgreSQL, the font of the house model's pictures, and the programs that deploy/ is for: on Debian
# and its kin, as root, they are installed. Elsewhere the tests that need one are skipped and say so; with CI=true they fail instead.
wanted=""
# The shell of chromium opens a page in half of the time; where it cannot be had the whole one does.
here chromium-headless-shell || { chromium && ! may_install; } || wanted="$wanted chromium-headless-shell"
here redis-server || here valkey-server || wanted="$wanted redis-server"
[ -n "${DREAMSITE_TEST_POSTGRES:-}" ] || here initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
    || wanted="$wanted postgresql"
here nginx || [ -x /usr/sbin/nginx ] || wanted="$wanted nginx-light"
here caddy || wanted="$wanted caddy"
here openssl || wanted="$wanted openssl"
here systemd-analyze || wanted="$wanted systemd"
[ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ] || wanted="$wanted fonts-noto-color-emoji"

install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" >>"$log" 2>&1; }
if [ -n "$wanted" ] && may_install; then
    echo "Installing for the tests:$wanted"
    # Their services are not wanted, only their programs: the tests start their own, privately.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
    fi
    apt-get update >"$log" 2>&1 || true
    for package in $wanted; do
        install "$package" && continue
        [ "$package" = chromium-headless-shell ] && { chromium || install chromium; } && continue
        tail -20 "$log"
        echo "$package could not be installed; the tests that need it will say so."
    done
elif [ -n "$wanted" ]; then
    echo "Not here, and not root to install them:$wanted (the tests that need them will say so)"
fi

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
