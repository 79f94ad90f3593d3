"""The front door: `python run_live.py VERB -i INPUT -o OUTPUT`; see `python run_live.py --help`."""

from realtime.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
