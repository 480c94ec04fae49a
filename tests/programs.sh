#!/bin/sh
# The programs that tests need beside Python's: on Debian and its kin, as root, those that are missing are installed.
# Elsewhere the tests that need one are skipped and say so; with CI=true they fail instead.
set -eu

here() { command -v "$1" >/dev/null; }
may_install() { [ "$(id -u)" = 0 ] && here apt-get; }
chromium() { here chromium || here google-chrome; }

# A browser, Redis, PostgreSQL, the font of the house model's pictures, and what deploy/ is for.
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
[ -n "$wanted" ] || exit 0
if ! may_install; then
    echo "Not here, and not root to install them:$wanted (the tests that need them will say so)"
    exit 0
fi

log=$(mktemp)
policy=""
trap 'rm -f "$log" $policy' EXIT
echo "Installing for the tests:$wanted"
# Their services are not wanted, only their programs: the tests start their own, privately.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
fi
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1; }
apt-get update >"$log" 2>&1 || true
# shellcheck disable=SC2086 # they are several
install $wanted && exit 0
# One of them cannot be had: each by itself, so that the others can.
for package in $wanted; do
    install "$package" && continue
    [ "$package" = chromium-headless-shell ] && { chromium || install chromium; } && continue
    tail -20 "$log"
    echo "$package could not be installed; the tests that need it will say so."
done
