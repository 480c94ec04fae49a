#!/bin/sh
# What `make test` runs: brings what is missing where it may, then lint, the browser modules, and pytest.
set -eu
cd "$(dirname "$0")/.."

# chromium, Redis, PostgreSQL and the font of the house model's pictures: on Debian and its kin, as root, they are
# installed. Elsewhere the tests that need one are skipped and say so; with CI=true they fail instead.
wanted=""
command -v chromium >/dev/null || command -v google-chrome >/dev/null || wanted="$wanted chromium"
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || wanted="$wanted redis-server"
[ -n "${DREAMSITE_TEST_POSTGRES:-}" ] || command -v initdb >/dev/null \
    || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
[ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ] || wanted="$wanted fonts-noto-color-emoji"
if [ -n "$wanted" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing for the tests:$wanted"
        # Their services are not wanted, only their programs: the tests start their own, privately.
        policy=/usr/sbin/policy-rc.d
        if [ ! -e $policy ]; then
            printf '#!/bin/sh\nexit 101\n' >$policy
            chmod +x $policy
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        fi
        log=$(mktemp)
        # shellcheck disable=SC2086
        if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $wanted; } \
            >"$log" 2>&1; then
            tail -20 "$log"
            echo "They could not be installed; the tests that need them will say so."
        fi
        rm -f "$log"
    else
        echo "Not here, and not root to install them:$wanted (the tests that need them will say so)"
    fi
fi

# Each part runs whatever the one before it said, so that one run tells everything; pytest has the last word.
status=0
sh tests/lint.sh || { status=1; echo "lint failed"; }

printf '\n== node\n'
node --test --test-reporter=dot tests/js/*.test.mjs || { status=1; echo "tests of the browser modules failed"; }

printf '\n== pytest\n'
# A file's tests share a running site, so a file stays with one worker.
python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder "$@" || status=1
exit $status
