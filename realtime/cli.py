"""The command line: parses, prepares the process, runs a verb, and ends with the right exit code and one clear line."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence

from realtime.arguments import parse
from realtime.errors import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK, Interrupted, NakedeyeError, UsageError
from realtime.interruption import Interruption, check, interruptible
from realtime.options import Options

logger = logging.getLogger("realtime")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. Usage errors leave through argparse's SystemExit(2)."""
    with interruptible() as interruption:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        set_up_logging(options.log_level)
        code = run(options, interruption)
    return code


def run(options: Options, interruption: Interruption) -> int:
    """The verb's exit code; that of an interruption also where something has swallowed its KeyboardInterrupt."""
    try:
        verb = verb_of(options)
        check()
        code = verb(options)
        check()
        return code
    except KeyboardInterrupt:
        logger.error("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except Exception as error:
        if interruption.noted and not isinstance(error, Interrupted):  # what failed may have failed of it
            logger.debug("traceback", exc_info=error)
            logger.error("interrupted")
            return EXIT_INTERRUPTED
        return explain(error)


def explain(error: Exception) -> int:
    """Says what went wrong in one line; the traceback is for --log-level debug. Returns the exit code."""
    from engines import EngineError
    from shaders.base import RenderError

    logger.debug("traceback", exc_info=error)
    if isinstance(error, NakedeyeError):
        logger.error("%s", error)
        return error.exit_code
    if isinstance(error, (EngineError, RenderError)):
        logger.error("%s", error)
        return EXIT_FAILURE
    logger.error(
        "unexpected %s: %s; run again with --log-level debug and report what it says", type(error).__name__, error
    )
    return EXIT_FAILURE


def verb_of(options: Options) -> Callable[[Options], int]:
    """The function that runs the verb. Heavy imports wait until here, so that --help is quick."""
    if options.verb == "doctor":
        return doctor
    if options.verb == "cameras":
        return cameras
    if options.verb == "build":
        return build
    if options.verb == "batch":
        from realtime.batch.verb import batch

        return batch
    prepare_process()
    if options.verb == "serve":
        from realtime.page.serve import serve

        return serve
    from realtime.verbs import bench, image, live, video

    return {"live": live, "video": video, "image": image, "bench": bench}[options.verb]


def doctor(options: Options) -> int:
    from realtime.doctor import report

    return EXIT_OK if report(options.models_dir, sends=options.send) else EXIT_FAILURE


def cameras(options: Options) -> int:
    from realtime.sources.cameras import list_cameras

    found = list_cameras()
    for camera in found:
        print(camera.describe())
    if not found:
        raise NakedeyeError("no camera found; plugged in, and may this user read it (on Linux: the group video)?")
    return EXIT_OK


def build(options: Options) -> int:
    """Opens every network once, which makes and caches the plans that a GPU needs."""
    from engines.build import build_all
    from realtime.pipeline import networks_of

    for built in build_all(networks_of(options), options.quality, options.provider, options.models_dir):
        print(built)
    return EXIT_OK


def prepare_process() -> None:
    """One thread per library: stages are the parallelism, and a spinning BLAS pool doubles the frame time."""
    import cv2
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    cv2.setNumThreads(1)


def set_up_logging(level: str) -> None:
    """Messages to stderr, beside a progress bar if there is one."""
    handler = _ProgressFriendly()
    handler.setFormatter(_Plain())
    for name in ("realtime", "engines", "shaders"):
        room = logging.getLogger(name)
        room.setLevel(level.upper())
        room.handlers = [handler]
        room.propagate = False
    try:
        import av.logging

        av.logging.set_level(av.logging.VERBOSE if level == "debug" else av.logging.PANIC)
    except ImportError as why:
        raise UsageError(f"PyAV is missing ({why}); pip install av") from why


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        return message if record.levelno == logging.INFO else f"{record.levelname.lower()}: {message}"


class _ProgressFriendly(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stderr)
