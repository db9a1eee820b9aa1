#!/bin/sh
# Run a program that nobody vouches for: jail.sh WORK HIDDEN PROGRAM...
#
# In namespaces of its own: everything is read-only but the folder WORK and an empty /tmp; the
# folders HIDDEN (separated by colons) look empty; no network, no view of other processes, and no
# privilege to change any of that. Linux only.
set -eu

if [ "${1:-}" = "--inside" ]; then
    shift
    work=$1 hidden=$2
    shift 2
    mount --make-rprivate /
    mount --bind "$work" "$work"
    # Each mount has flags of its own: make them read-only one by one. Those that cannot be hidden
    # behind are left as they are (a kernel's own file systems, which guard themselves).
    cut -d ' ' -f 5 /proc/self/mountinfo | grep -v -x "$work" | while read -r place; do
        mount -o remount,bind,ro "$(printf '%b' "$place")" 2>/dev/null || true
    done
    touch /jail-test 2>/dev/null && { rm -f /jail-test; echo "jail: / stayed writable" >&2; exit 97; }
    mount -t proc proc /proc 2>/dev/null || true
    printf '%s' "$hidden:/tmp:/var/tmp:/dev/shm" | tr ':' '\n' | while read -r place; do
        # Not over the folder itself, nor over what runs in it: a clone may lie in /tmp.
        case "$work/" in "$place"/*) continue ;; esac
        case "$0" in "$place"/*) continue ;; esac
        [ ! -d "$place" ] || mount -t tmpfs -o size=512m,mode=1777 jail "$place"
    done
    cd "$work"
    ulimit -v 16777216 2>/dev/null || true # 16 GB of memory
    ulimit -f 1048576 2>/dev/null || true # files of half a gigabyte
    exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
fi

user=""
[ "$(id -u)" = 0 ] || user="--user --map-root-user"
# pdeathsig and kill-child: when whoever started this dies, all that runs inside dies with it.
# shellcheck disable=SC2086
exec setpriv --pdeathsig KILL unshare $user --mount --net --pid --ipc --uts --fork --kill-child /bin/sh "$0" --inside "$@"
