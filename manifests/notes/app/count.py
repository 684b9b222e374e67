"""Says every minute how many notes the store has. Plum knows where it is; while it is away there is nothing to say."""

import json
import os
import time
from urllib.request import urlopen

RESOLVE = os.environ["PLUM_API"] + "/v1/resolve?service=notes-store"


def count() -> int:
    with urlopen(RESOLVE, timeout=10) as found:
        store = json.load(found)
    with urlopen(f"http://{store['ip']}:{store['port']}/", timeout=10) as answer:
        return len(answer.read().splitlines())


def main() -> None:
    while True:
        try:
            print(f"{count()} notes", flush=True)
        except OSError as error:
            print(f"no store: {error}", flush=True)
        time.sleep(60)


if __name__ == "__main__":
    main()
