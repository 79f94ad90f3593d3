"""The front door: `python run_live.py VERB -i INPUT -o OUTPUT`; see `python run_live.py --help`."""

import sys


def run() -> int:
    """The exit code. Imports inside: Ctrl-C while they load is an interruption like any other."""
    try:
        from realtime.interruption import interruptible

        with interruptible():
            from realtime.cli import main

            return main()
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(run())
