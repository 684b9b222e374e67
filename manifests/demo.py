"""``make demo``: the whole way once, from nothing to a web server on two nodes, with the commands one would type.

It holds the standard input of ``plumctl up``: when the demo ends, even by kill -9, ``up`` and everything that
it has started end too. What was stored in ``.demo`` is found again the next time.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(".demo")
HELLO = Path("manifests/hello")
TASK_LABEL = "plum.dev/task=hello"
COPIES = 2
ANSWER_SECONDS = 90.0
STOP_SECONDS = 75.0
"""More than ``up`` takes in the worst case: it waits for its agents, then kills what is left."""

NEXT = """
Try, in another terminal:

  cd {root}
  export PATH=$PWD/.venv/bin:$PATH KUBECONFIG=$PWD/{data}/kubeconfig

  plumctl get assignments -w                 # kill one of the processes below and watch it come back
  plumctl describe task hello
  plumctl restart task/hello                 # a rolling restart
  plumctl stop task/hello                    # and start it again: plumctl start task/hello
  plumctl explain task.spec.entries          # what a task can say
  kubectl get tasks,assignments,nodes -A     # the same objects
  plumctl delete -f {hello}         # leaves no process

Ctrl-C stops everything; the next make demo finds its data again."""

# Nothing here leaves the machine, so proxies of the environment are not asked.
_opener = build_opener(ProxyHandler({}))


class Failed(Exception):
    """The demo cannot go on; the message is for its user."""


def main() -> int:
    """Run the demo until Ctrl-C, TERM, or the end of ``plumctl up``; the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    os.chdir(ROOT)
    environment = {key: value for key, value in os.environ.items() if key not in ("PLUM_SERVER", "PLUM_TOKEN")}
    environment["KUBECONFIG"] = str(DATA.absolute() / "kubeconfig")
    try:
        with running_cluster(environment) as (cluster, url):
            show(environment, "app", "push", str(HELLO / "app"))
            show(environment, "apply", "-f", str(HELLO))
            report(wait_for_answers(environment, url))
            say(NEXT.format(root=ROOT, data=DATA, hello=HELLO))
            if code := cluster.wait():
                raise Failed(f"plumctl up has ended with code {code}")
    except KeyboardInterrupt:
        say("stopped; data is kept in", str(DATA))
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def say(*words: str) -> None:
    """Tell the user, in order with what the commands print."""
    print(*words, flush=True)


@contextmanager
def running_cluster(environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """``plumctl up`` and its address, from its ready line to its end. Raises Failed.

    It has a session of its own: Ctrl-C is for the demo, which then ends it in order.
    """
    say("$ plumctl up --data-dir", str(DATA), "&")
    command = [sys.executable, "-m", "plumctl", "up", "--data-dir", str(DATA), "--until-eof"]
    cluster = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    try:
        assert cluster.stdout
        line = cluster.stdout.readline().decode().strip()
        if not line.startswith("ready: "):
            raise Failed("the cluster did not start; PLUM_ADDR=127.0.0.1:9090 make demo uses another address")
        say(line)
        yield cluster, line.removeprefix("ready: ")
    finally:
        end(cluster)


def end(cluster: subprocess.Popen[bytes]) -> None:
    """Close the pipe and wait; a Ctrl-C meanwhile does not cut the orderly end short, a third does."""
    assert cluster.stdin
    cluster.stdin.close()
    for _ in range(2):
        try:
            cluster.wait(STOP_SECONDS)
        except KeyboardInterrupt:
            say("stopping; a moment, please")
        except subprocess.TimeoutExpired:
            break
        else:
            return
    cluster.kill()
    cluster.wait()


def show(environment: Mapping[str, str], *arguments: str) -> None:
    """Run one command as a user would. Raises Failed."""
    say("$ plumctl", *arguments)
    if subprocess.run([sys.executable, "-m", "plumctl", *arguments], env=environment, check=False).returncode:
        raise Failed(f"plumctl {' '.join(arguments)} failed")


def wait_for_answers(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """Show the assignments on their way, until every copy answers; the greetings by address.

    What the processes answer decides, for a stored phase may be from before a crash.
    """
    arguments = ["get", "assignments", "-w", "-l", TASK_LABEL]
    say("$ plumctl", *arguments)
    watching = subprocess.Popen([sys.executable, "-m", "plumctl", *arguments], env=environment)
    try:
        deadline = time.monotonic() + ANSWER_SECONDS
        while len(found := greetings(url)) < COPIES and time.monotonic() < deadline:
            time.sleep(0.5)
        return found
    finally:
        watching.terminate()
        watching.wait()


def greetings(url: str) -> dict[str, str]:
    """What the copies of the task that can be reached answer, by address."""
    found = {}
    for address in addresses(url):
        try:
            found[address] = fetch(address).decode().strip()
        except (URLError, OSError):
            continue
    return found


def addresses(url: str) -> list[str]:
    """Where the running copies say that they listen."""
    listing = json.loads(fetch(f"{url}/apis/plum.dev/v1/namespaces/default/assignments?labelSelector={TASK_LABEL}"))
    statuses = [item.get("status", {}) for item in listing["items"] if "deletionTimestamp" not in item["metadata"]]
    return [
        f"http://127.0.0.1:{port['port']}"
        for status in statuses
        if status.get("phase") == "Running"
        for port in status.get("ports", ())
    ]


def fetch(address: str) -> bytes:
    """The body of a GET. Raises URLError, OSError."""
    with _opener.open(address, timeout=5) as reply:
        body: bytes = reply.read(1 << 20)
    return body


def report(found: Mapping[str, str]) -> None:
    """How the app is reached on each node."""
    if len(found) < COPIES:
        say(f"\n{len(found)} of {COPIES} copies answer so far; plumctl describe task hello tells why.")
    for address, greeting in found.items():
        say(f"\n$ curl {address}\n{greeting}")


if __name__ == "__main__":
    sys.exit(main())
