"""What the verbs live, video, image and bench do: open, run, report. Errors leave as exceptions; exit codes return."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from realtime import bench as benchmark
from realtime.avatar.drawer import find_avatar
from realtime.drawing import FaceDrawer
from realtime.errors import EXIT_OK, NoFaceFound, UsageError
from realtime.face.model import FaceModel, load_face_model
from realtime.frame import Faces, Frame
from realtime.loop import Loop, Report
from realtime.options import DEFAULT_AVATAR, Options
from realtime.outputs import image_sinks, live_sinks, shows_view, video_sinks
from realtime.pipeline import Pipeline, open_pipeline
from realtime.sinks.base import NullSink, Shot, Sink
from realtime.sources.base import Properties, Source
from realtime.sources.choose import open_source
from realtime.sources.paced import Paced
from realtime.views import show

logger = logging.getLogger(__name__)

MakeSinks = Callable[[Options, Source, FaceModel], list[Sink]]


def video(options: Options) -> int:
    """A file without glasses, with everything that is known of its faces, in a folder. Pictures go to `image`."""
    with ExitStack() as stack:
        source = _open(options)
        if source.properties.stills:
            return _convert(options, source, image_sinks, stack)
        return _convert(options, source, video_sinks, stack)


def image(options: Options) -> int:
    """The same for photographs."""
    with ExitStack() as stack:
        source = _open(options)
        if not source.properties.stills:
            source.close()
            raise UsageError(f"{options.input} is no picture and no folder of pictures; use: video -i {options.input}")
        return _convert(options, source, image_sinks, stack)


def live(options: Options) -> int:
    """As it comes, into a window, a file, or nowhere."""
    with ExitStack() as stack:
        source: Source = _open(options)
        if not source.properties.live:
            source = Paced(source)
        if options.output == "window":
            from realtime.live import run_window

            return run_window(options, source, stack)
        model, pipeline = _prepare(options, source, stack)
        sinks = _made(live_sinks, options, source, model)
        report = _run(options, source, pipeline, model, sinks, stack)
        _tell_paths(sinks, sys.stderr if options.output == "-" else sys.stdout)
        logger.info("%d frames, %.1f fps, %d dropped", report.frames, report.timing.fps, report.dropped)
        return EXIT_OK


def bench(options: Options) -> int:
    """The whole chain from the input to nowhere, mesh drawn, and what each stage took."""
    with ExitStack() as stack:
        source = _open(options)
        name = source.properties.name
        model, pipeline = _prepare(options, source, stack)
        drawer = stack.enter_context(_drawer(options, model))
        report = _run(options, source, pipeline, model, [NullSink()], stack, drawer)
        found = benchmark.results(report.timing, name, pipeline.providers, drawer.renderer_name)
        found["frames_with_faces"] = report.frames_with_faces
        print(benchmark.table(report.timing))
        for path in benchmark.write_results(Path(options.output).expanduser(), report.timing, found):
            print(path)
        _demand_face(report, name)
        return EXIT_OK


def _convert(options: Options, source: Source, make_sinks: MakeSinks, stack: ExitStack) -> int:
    """Source to files, with progress; says where they are."""
    name = source.properties.name
    model, pipeline = _prepare(options, source, stack)
    sinks = _made(make_sinks, options, source, model)
    try:
        report = _run(options, source, pipeline, model, sinks, stack)
    finally:
        _tell_paths(sinks)
    _demand_face(report, name)
    return EXIT_OK


def _open(options: Options) -> Source:
    if options.view == "avatar" or options.avatar != DEFAULT_AVATAR:
        find_avatar(options.avatar)  # what is wrong with it is said before anything is written
    rate = Fraction(options.fps).limit_denominator(1001) if options.fps else Fraction(30)
    return open_source(options.input, size=options.size, rate=rate, seed=options.seed)


def _prepare(options: Options, source: Source, stack: ExitStack) -> tuple[FaceModel, Pipeline]:
    properties = source.properties
    try:
        pipeline = open_pipeline(options, live=properties.live, stills=properties.stills)
        stack.callback(pipeline.close)
        model = load_face_model("live")
    except BaseException:
        source.close()
        raise
    logger.debug("networks: %s", ", ".join(f"{name} on {who}" for name, who in pipeline.providers.items()))
    return model, pipeline


def _made(make_sinks: MakeSinks, options: Options, source: Source, model: FaceModel) -> list[Sink]:
    try:
        return make_sinks(options, source, model)
    except BaseException:
        source.close()
        raise


def _run(
    options: Options, source: Source, pipeline: Pipeline, model: FaceModel, sinks: Sequence[Sink], stack: ExitStack,
    drawer: FaceDrawer | None = None,
) -> Report:  # fmt: skip
    drawer = drawer or stack.enter_context(_drawer(options, model))

    def render(frame: Frame, faces: Faces) -> np.ndarray:
        return show(frame, faces, options.view, drawer, landmarks=options.landmarks, mirror=options.mirror)

    with Progress(source.properties, options) as progress:
        shown = render if shows_view(options) else None
        loop = Loop(source, pipeline.groups, [*sinks, progress], render=shown, limit=options.frames)
        return loop.run()


class Progress:
    """A sink that only moves a progress bar; hidden where stderr is no terminal or the log level asks for quiet."""

    paths: tuple[Path, ...] = ()

    def __init__(self, properties: Properties, options: Options):
        total = properties.count
        if options.frames is not None:
            total = min(options.frames, total or options.frames)
        quiet = options.log_level in ("error", "warning") or not sys.stderr.isatty()
        self._bar = tqdm(total=total, unit="frame", desc=properties.stem, disable=quiet, leave=False)

    def write(self, shot: Shot) -> None:
        self._bar.update()

    def close(self) -> None:
        self._bar.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _tell_paths(sinks: Sequence[Sink], file: TextIO | None = None) -> None:
    for sink in sinks:
        for path in sink.paths:
            print(path, file=file)


def _demand_face(report: Report, name: str) -> None:
    if report.frames_with_faces == 0:
        plural = "s" if report.frames != 1 else ""
        raise NoFaceFound(f"no face found in {name} ({report.frames} picture{plural} read)")


def _drawer(options: Options, model: FaceModel) -> _Closing:
    return _Closing(FaceDrawer(model, options.renderer, None, options.avatar, options.background))


class _Closing:
    """contextlib.closing that keeps the type for `enter_context`."""

    def __init__(self, drawer: FaceDrawer):
        self.drawer = drawer

    def __enter__(self) -> FaceDrawer:
        return self.drawer

    def __exit__(self, *_: object) -> None:
        self.drawer.close()
