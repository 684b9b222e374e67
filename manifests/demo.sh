#!/bin/sh
# The whole way, once: a server, two nodes, an app, a task, two running copies. Ctrl-C ends it all.
set -eu
cd "$(dirname "$0")/.."
data=${PLUM_DATA_DIR:-.demo}
addr=${PLUM_ADDR:-127.0.0.1:8080}
plumctl=.venv/bin/plumctl
mkdir -p "$data"
data=$(cd "$data" && pwd)

up=
held=
watch=
finish() {
    trap - EXIT INT TERM
    [ -z "$watch" ] || kill "$watch" 2>/dev/null || true
    if [ -n "$up" ]; then
        # Closing the pipe asks it to end; a signal on top of a Ctrl-C would end it at once, out of order.
        if [ -n "$held" ]; then exec 3>&-; else kill -TERM "$up" 2>/dev/null || true; fi
        wait "$up" 2>/dev/null || true
    fi
    rm -f "$data/ready.$$"
    exit "${1:-0}"
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }

say "Starting the API server, the controllers and two nodes (data in $data) …"
# It ends with its standard input, a pipe that only this script holds: so it ends with us, however we end.
rm -f "$data/ready.$$" "$data/alive.$$"
mkfifo "$data/alive.$$"
"$plumctl" up --data-dir "$data" --addr "$addr" --nodes 2 --until-eof <"$data/alive.$$" >"$data/ready.$$" &
up=$!
exec 3>"$data/alive.$$"
held=yes
rm -f "$data/alive.$$"
tries=0
until [ -s "$data/ready.$$" ]; do
    kill -0 "$up" 2>/dev/null || { wait "$up" || code=$?; up=; finish "${code:-1}"; }
    tries=$((tries + 1))
    [ "$tries" -lt 1500 ] || { echo "error: not ready after 150 s; see $data/logs" >&2; finish 1; }
    sleep 0.1
done
cat "$data/ready.$$"
url=$(sed -n 's/^ready: //p' "$data/ready.$$")

export KUBECONFIG="$data/kubeconfig"
say "Pushing the app and applying the manifests …"
"$plumctl" app push manifests/hello/app
"$plumctl" apply -f manifests/hello
# What was stopped in an earlier run stays stopped until somebody starts it.
"$plumctl" start task/hello

say "Watching the assignments until two copies run …"
"$plumctl" get assignments -w 3>&- &
watch=$!
tries=0
running() {
    "$plumctl" get assignments -l plum.dev/task=hello --field-selector status.phase=Running -o name 2>/dev/null | wc -l
}
until count=$(running) && [ "${count:-0}" -ge 2 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { "$plumctl" describe task hello; echo "error: the task does not run" >&2; finish 1; }
    sleep 0.3
done
kill "$watch" 2>/dev/null || true
wait "$watch" 2>/dev/null || true
watch=

say "The app answers on both nodes:"
"$plumctl" get assignments -l plum.dev/task=hello -o json | .venv/bin/python -c '
import json, sys, urllib.request
for item in json.load(sys.stdin)["items"]:
    status = item["status"]
    for port in status.get("ports", ()):
        address = "http://%s:%d/" % (status.get("ip", "127.0.0.1"), port["port"])
        with urllib.request.urlopen(address, timeout=10) as reply:
            print("  curl %s   # %s" % (address, reply.read().decode().strip()))
'

if [ -f apiserver/server/ui/index.html ]; then
    say "The web UI:"
    echo "  $url/"
fi

say "Now, in another terminal:"
cat <<TEXT
  export KUBECONFIG=$KUBECONFIG
  $plumctl get assignments -w                  # watch it
  kill <pid>                                   # one of: get assignments -o wide; it comes back
  $plumctl describe task hello
  $plumctl restart task/hello                  # copy by copy
  kubectl get tasks,assignments,nodes -A       # the same objects
  $plumctl delete -f manifests/hello           # leaves no process

Ctrl-C ends it; the next make demo finds its data again.
TEXT
wait "$up"
