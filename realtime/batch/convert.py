"""Does the units of work, in one process and on one thread; networks stay open from one file to the next."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

from engines import Engine, EngineError, open_network
from realtime.batch.closing import closing
from realtime.batch.finish import join_segments
from realtime.batch.notes import noted
from realtime.batch.pieces import NOGLASSES, RECORD, SIDEBYSIDE, From, RecordSink
from realtime.batch.segments import SegmentSource, Uncuttable, plan_segments
from realtime.batch.work import Outcome, Piece, Plan, Tell, Unit, Whole
from realtime.drawing import FaceDrawer
from realtime.errors import NakedeyeError, SinkError
from realtime.face.model import load_face_model
from realtime.options import Options
from realtime.outputs import SIDE_BY_SIDE, image_sinks, video_sinks
from realtime.pipeline import Pipeline, Switches, build_groups, networks_of
from realtime.sinks import views
from realtime.sinks.base import Shot, Sink
from realtime.sinks.video import VideoSink
from realtime.sources.base import Source
from realtime.sources.choose import open_source
from realtime.views import show
from shaders.base import RenderError

PICTURE_FACES = 64  # at least so many are looked for in a photograph, as `run_live.py image` does


@dataclass
class Counts:
    """Of the frames that are kept: how many, and the numbers of the faces in them."""

    frames: int = 0
    tracks: set[int] = field(default_factory=set)


class Converter:
    """Opens the networks when the first unit needs them. Raises nothing for a bad file: the outcome says it."""

    def __init__(self, options: Options):
        self._options = options
        self._engines: dict[str, Engine] = {}
        self._drawer: FaceDrawer | None = None

    def perform(self, unit: Unit, tell: Tell) -> Outcome:
        start = time.perf_counter()
        with noted() as warnings:
            try:
                outcome = self._perform(unit, tell)
            except Uncuttable as error:
                outcome = Outcome(str(error), uncuttable=True)
            except (NakedeyeError, EngineError, RenderError) as error:
                outcome = Outcome(str(error))
            except Exception as error:
                logging.getLogger(__name__).debug("traceback", exc_info=error)
                outcome = Outcome(f"unexpected {type(error).__name__}: {error}")
        seconds = time.perf_counter() - start
        line = " ".join(outcome.error.split()) if outcome.error else None
        return replace(outcome, error=line, seconds=seconds, warnings=(*outcome.warnings, *warnings))

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()
        if self._drawer is not None:
            self._drawer.close()

    def _perform(self, unit: Unit, tell: Tell) -> Outcome:
        _check_shared(unit.folder)
        if isinstance(unit, Whole):
            return self._whole(unit, tell)
        if isinstance(unit, Plan):
            return Outcome(segments=plan_segments(unit.job.path, unit.seconds))
        if isinstance(unit, Piece):
            return self._piece(unit, tell)
        return join_segments(unit, self._options)

    # --- one file, or one segment ----------------------------------------------------------------------------------

    def _whole(self, unit: Whole, tell: Tell) -> Outcome:
        folder = Path(mkdtemp(prefix="whole-", dir=unit.folder))
        source = open_source(str(_existing(unit.job.path)))
        options = replace(self._options, output=str(folder))
        stills = source.properties.stills
        options = replace(options, faces=max(options.faces, PICTURE_FACES)) if stills else options
        make = image_sinks if stills else video_sinks
        counts = self._run(source, lambda: make(options, source, load_face_model("live")), options, tell)
        return Outcome(finished=folder, frames=counts.frames, faces=len(counts.tracks))

    def _piece(self, unit: Piece, tell: Tell) -> Outcome:
        segment = unit.segment
        finished = unit.folder / f"piece-{segment.number:04d}"
        if finished.is_dir():  # of an earlier run
            tell(segment.frames)
            return Outcome(finished=finished, frames=segment.frames)
        folder = Path(mkdtemp(prefix="piece-", dir=unit.folder))
        source = SegmentSource(_existing(unit.job.path), segment)
        properties = source.properties

        def make() -> list[Sink]:
            pictures = ((NOGLASSES, views.glasses_off), (SIDEBYSIDE, SIDE_BY_SIDE))
            videos = [VideoSink(folder / name, properties, view=view, threads=1) for name, view in pictures]
            return [*(From(video, segment.first_index) for video in videos), RecordSink(folder / RECORD)]

        counts = self._run(source, make, self._options, tell, segment.first_index)
        if counts.frames != segment.frames:
            raise Uncuttable(f"{unit.job.name}: {counts.frames} frames came where {segment.frames} were announced")
        try:
            folder.rename(finished)
        except OSError:  # somebody has just finished the same
            if not finished.is_dir():
                raise
        return Outcome(finished=finished, frames=counts.frames)

    def _run(
        self, source: Source, make: Callable[[], list[Sink]], options: Options, tell: Tell, first_index: int = 0
    ) -> Counts:
        """Everything from the source through all stages into the sinks; frames before `first_index` do not count."""
        counts = Counts()
        with ExitStack() as stack:
            stack.callback(source.close)
            pipeline = self._pipeline(options, source.properties.stills)
            drawer = self._opened_drawer()
            sinks = stack.enter_context(closing(make()))
            for frame in source.frames():
                frame.image.flags.writeable = False
                after, faces = pipeline(frame)
                kept = frame.index >= first_index
                rendered = show(after, faces, options.view, drawer) if kept else None
                for sink in sinks:
                    sink.write(Shot(frame, after, faces, rendered))
                if kept:
                    counts.frames += 1
                    counts.tracks.update(face.track for face in faces)
                tell(int(kept))
        return counts

    def _pipeline(self, options: Options, stills: bool) -> Pipeline:
        """Stages without a past."""
        for name in networks_of(options):
            if name not in self._engines:
                self._engines[name] = open_network(
                    name, options.quality, options.provider, models_dir=options.models_dir
                )
        switches = Switches(options.remove, options.smooth)
        return Pipeline(build_groups(options, self._engines, switches, stills=stills), switches)

    def _opened_drawer(self) -> FaceDrawer:
        if self._drawer is None:
            renderer = "gpu" if self._options.renderer == "auto" else self._options.renderer  # OpenGL on a CPU: threads
            self._drawer = FaceDrawer(load_face_model("live"), renderer)
        return self._drawer


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise NakedeyeError(f"{path}: is a folder; a list names files")
    if not path.exists():
        raise NakedeyeError(f"{path}: does not exist on {socket.gethostname()}")
    return path


def _check_shared(folder: Path) -> None:
    """Raises SinkError on a machine that does not see the output folder of the one that began."""
    if not folder.is_dir():
        raise SinkError(
            f"{folder}: is not there on {socket.gethostname()}; library and output folder must lie on storage "
            "that every machine sees under the same path"
        )
