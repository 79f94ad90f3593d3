"""The results of a file from its segments: the same files as from one run, with the frames and numbers continued."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

from realtime.batch.driving import DriveAgain
from realtime.batch.join import join_videos
from realtime.batch.pieces import NOGLASSES, RECORD, SIDEBYSIDE, Record, read_record
from realtime.batch.segments import Uncuttable
from realtime.batch.tracks import fade_averages, join_numbers
from realtime.batch.work import Join, Outcome, Segment
from realtime.face.model import load_face_model
from realtime.options import Options
from realtime.outputs import mesh_sink
from realtime.sinks.base import Sink
from realtime.sinks.blendshapes import BlendshapesSink
from realtime.sinks.coefficients import CoefficientsSink
from realtime.sinks.names import output_path
from realtime.sinks.sound import fit_sound
from realtime.sources.base import Properties
from realtime.sources.video import VideoSource


def join_segments(unit: Join, options: Options) -> Outcome:
    """The frames are exactly those of the file, their times its own, and every sound packet is copied once.

    How equal the values are to those of an uncut run (tests/realtime/batch/test_segments.py holds them to it): the
    same rows, and the same 68 points within a fraction of a pixel, since following a face forgets where it began but
    for rounding. What is averaged over a track's life (shape, skin, light) differs by what the average of the warm-up
    differs from that of everything before, some tenths of a millimetre, and goes over from one segment's to the next
    one's in two seconds. Lids, gaze and blendshapes, fitted to what was seen of a person so far, are fitted anew from
    the file's beginning; the picture side by side was drawn before, with each segment's own. Frames are encoded anew
    from the start of each segment, so the bytes of the videos differ. Tracks keep their numbers over a joint; a new
    face gets the next number that was never seen, where an uncut run may have spent one on what was no face.
    Raises Uncuttable where the segments do not make the file.
    """
    folder = Path(mkdtemp(prefix="join-", dir=unit.folder))
    source = VideoSource(str(unit.job.path))
    try:
        properties, tap = source.properties, source.tap_audio() if options.sound else None
        stem = properties.stem
        removed, tap = fit_sound(output_path(folder, stem, "noglasses"), tap)
    finally:
        source.close()
    parts = [unit.folder / f"piece-{segment.number:04d}" for segment in unit.segments]
    seen = _replay(unit, parts, folder, properties, DriveAgain(options.smooth, options.adapt))
    sound_of = unit.job.path if tap is not None else None
    videos = (NOGLASSES, removed, sound_of), (SIDEBYSIDE, output_path(folder, stem, "sidebyside"), None)
    for name, target, sound in videos:
        if join_videos([part / name for part in parts], target, properties, sound) != seen.times:
            raise Uncuttable(f"{unit.job.name}: the joined pictures are not those of the file")
    return Outcome(finished=folder, frames=len(seen.times), faces=len(seen.tracks))


class _Seen:
    """Times and tracks of what was replayed."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.tracks: set[int] = set()


def _replay(unit: Join, parts: list[Path], folder: Path, properties: Properties, drive: DriveAgain) -> _Seen:
    """Feeds the sinks that need no pictures with what the segments have recorded."""
    stem, seen = properties.stem, _Seen()
    sinks: list[Sink] = [
        CoefficientsSink(output_path(folder, stem, "coefficients")),
        BlendshapesSink(output_path(folder, stem, "blendshapes")),
        mesh_sink(output_path(folder, stem, "animation"), load_face_model("live"), 0),
    ]
    try:
        for segment, record in zip(unit.segments, _continued(unit.segments, parts), strict=True):
            for shot in record.shots(segment.first_index, properties.time_base, drive):
                if shot.original.index != len(seen.times) or (seen.times and shot.original.pts <= seen.times[-1]):
                    raise Uncuttable(f"{unit.job.name}: segment {segment.number} does not continue the one before it")
                seen.times.append(shot.original.pts)
                seen.tracks.update(face.track for face in shot.faces)
                for sink in sinks:
                    sink.write(shot)
    finally:
        for sink in sinks:
            sink.close()
    return seen


def _continued(segments: Sequence[Segment], parts: Sequence[Path]) -> Iterator[Record]:
    """The records, with one numbering of tracks for all, and without a step in what is averaged."""
    before: Record | None = None
    unused = 0
    for segment, part in zip(segments, parts, strict=True):
        record = read_record(part / RECORD)
        numbers, unused = join_numbers(before, record, unused)
        record = record.renumbered(numbers)
        before = record if before is None else fade_averages(before, record, segment.first_index)
        yield before
