"""`run_live.py batch`: a library of videos and pictures, with a bar, a manifest, and the failures at the end."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from realtime.batch.inputs import Job
from realtime.batch.progress import FrameBar
from realtime.batch.run import Summary, Watch, run_batch
from realtime.errors import EXIT_FAILURE, EXIT_OK, Interrupted
from realtime.interruption import interruptible
from realtime.options import Options

logger = logging.getLogger(__name__)


def batch(options: Options) -> int:
    """0: every file is done; 1: some failed, and the others are done."""
    bars: list[FrameBar] = []

    def watch(jobs: Sequence[Job]) -> Watch:
        bars.append(FrameBar(jobs, options.log_level in ("error", "warning")))
        return bars[0]

    try:
        with interruptible():
            summary = run_batch(options, watch)
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted; the same command goes on where this one stopped") from error
    finally:
        for bar in bars:
            bar.close()
    _tell(summary)
    print(summary.manifest)
    return EXIT_FAILURE if summary.failed else EXIT_OK


def _tell(summary: Summary) -> None:
    done = len(summary.entries) - len(summary.failed)
    before = f" ({summary.skipped} of them before)" if summary.skipped else ""
    frames = sum(entry.frames for entry in summary.entries)
    logger.info("%d of %d files done%s, %d frames", done, len(summary.entries), before, frames)
    for entry in summary.failed:
        logger.error("%s failed: %s", entry.file, entry.error)
