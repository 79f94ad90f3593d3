"""A folder of videos and pictures, results and a manifest in another: python examples/batch.py FOLDER DIR [WORKERS]"""

import sys

from realtime.batch.run import run_batch
from realtime.options import Options


def main(folder: str, results: str, workers: str = "0") -> int:
    summary = run_batch(Options(verb="batch", input=folder, output=results, workers=int(workers), view="mesh"))
    for entry in summary.entries:
        print(f"{entry.file}: {entry.state}, {entry.frames} frames, {entry.faces} faces {entry.error or ''}")
    return 1 if summary.failed else 0


if __name__ == "__main__":  # workers import this file anew
    sys.exit(main(*sys.argv[1:]))
