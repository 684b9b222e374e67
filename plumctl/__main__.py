"""``plumctl``: the console script."""

import os
import sys


def main() -> None:
    """Run the command line; an interrupt, or a full disk behind standard output or none at all, is no traceback."""
    if sys.stdout is None:  # closed: ``>&-``
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the program lives
    try:
        from plumctl.commands import cli  # noqa: PLC0415 - loading takes a moment in which people press Ctrl-C

        cli(prog_name="plumctl")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.stderr.write(f"error: cannot write the output: {error.strerror or error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
