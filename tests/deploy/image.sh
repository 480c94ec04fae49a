#!/bin/sh
# `sh tests/deploy/image.sh`, as root on Debian: builds deploy/Containerfile from a base made on this machine, for where no
# registry can be reached, runs the image, and asks it for a page. Takes some minutes and 3 GB in a folder of its own.
#
# The base takes the place of docker.io/library/python: Debian with its own Python, which is older than the image's.
# PORT is asked on 127.0.0.1, which the container shares (`--isolation chroot`): no other isolation can be had in a container.
set -eu
cd "$(dirname "$0")/../.."
port=${PORT:-18931}
base=$(sed -n 's/^FROM \(\S*\) AS build/\1/p' deploy/Containerfile)

DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends buildah crun debootstrap >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$folder/store" --runroot "$folder/run" "$@"; }

# What this machine needs to reach Debian's and Python's packages, the image needs too.
debootstrap --variant=minbase bookworm "$folder/base" >/dev/null
cp /etc/resolv.conf /etc/hosts "$folder/base/etc/"
[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$folder/base/etc/"
cp -r /etc/apt/apt.conf.d "$folder/base/etc/apt/"
mkdir -p "$folder/base/usr/local/share/ca-certificates"
cp /usr/local/share/ca-certificates/* "$folder/base/usr/local/share/ca-certificates/" 2>/dev/null || true
chroot "$folder/base" sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends \
    python3 python3-venv python-is-python3 ca-certificates && update-ca-certificates' >/dev/null
container=$(buildah from scratch)
buildah add -q "$container" "$folder/base" / >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit -q "$container" "$base" >/dev/null
buildah rm "$container" >/dev/null
rm -rf "$folder/base"

buildah bud --pull-never --format docker -f deploy/Containerfile -t dreamsite .
buildah images dreamsite
container=$(buildah from --pull-never localhost/dreamsite:latest)
buildah run "$container" -- sh -ec "
    test \$(id -un) = dreamsite
    python manage.py migrate -v0
    python manage.py collectstatic --no-input -v0
    DREAM_FETCH= HOST=127.0.0.1 PORT=$port timeout 120 python manage.py serve --server uvicorn &
    python - <<'END'
import time, urllib.error, urllib.request
until = time.monotonic() + 100
for path in ('/healthz', '/readyz', '/', '/history/'):
    while True:
        try:
            with urllib.request.urlopen('http://127.0.0.1:$port' + path) as answer:
                print(path, answer.status, len(answer.read()))
                break
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
END
    kill %1"
echo "The image builds, starts, and shows its pages."
