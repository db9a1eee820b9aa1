#!/usr/bin/env bash
# Everything `make book` and `make test` need: .venv with the pinned requirements, and ffmpeg.
# Whatever the system must provide is installed where this user may, and named where not.
set -euo pipefail
cd "$(dirname "$0")/../.."

stop() { printf 'make: %s\n' "$1" >&2; exit 1; }

# debian NEED PACKAGE...: install Debian packages, or stop with the one command that does.
debian() {
  local need=$1; shift
  command -v apt-get >/dev/null \
    || stop "$need is missing: install $* with your package manager, then run make again."
  local as=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || stop "$need is missing. Run: sudo apt-get install $*"
    as=(sudo -n)
  fi
  echo "installing $* (for $need)"
  "${as[@]}" apt-get update -qq
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null \
    || stop "$need could not be installed. Run: sudo apt-get install $*"
}

# Browsers for the tests of the pages; WebKit's is left to who wants it (webkit2gtk-driver, xvfb).
if [ "${1:-}" = --browsers ]; then
  command -v firefox-esr >/dev/null || command -v firefox >/dev/null \
    || debian "Firefox for the page tests" firefox-esr
  for browser in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$browser" >/dev/null && exit 0
  done
  debian "Chromium for the page tests" chromium
  exit 0
fi

command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || debian "ffmpeg" ffmpeg

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  python=
  for candidate in python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate
      break
    fi
  done
  [ -n "$python" ] || stop "no Python 3.11 or newer was found. Install one, for instance with: \
sudo apt-get install python3 python3-venv"
  # Debian ships Python without ensurepip; the package is named after the version.
  version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
  "$python" -c 'import ensurepip, venv' 2>/dev/null || debian "Python's venv" "python$version-venv"
  "$python" -m venv --clear .venv
fi

echo "installing the pinned requirements into .venv (once; torch alone takes minutes)"
.venv/bin/python -m pip install -q --disable-pip-version-check -r requirements.txt
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -e .
touch .venv/.installed
