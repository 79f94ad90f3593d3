"""Which files a run writes, from its options: one stem, an ending per kind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from realtime.errors import UsageError
from realtime.face.model import FaceModel
from realtime.options import Options
from realtime.sinks import views
from realtime.sinks.base import Shot, Sink
from realtime.sinks.blendshapes import BlendshapesSink
from realtime.sinks.coefficients import CoefficientsSink
from realtime.sinks.encodings import ALPHA_FORMATS
from realtime.sinks.leaving import outgoing, sends
from realtime.sinks.livelink_csv import LiveLinkCsvSink
from realtime.sinks.mesh import AnimationSink, MeshSink, largest
from realtime.sinks.names import output_path
from realtime.sinks.pictures import QUALITY as PICTURE_FORMATS
from realtime.sinks.pictures import PicturesSink, write_picture
from realtime.sinks.senders.sink import SenderSink
from realtime.sinks.senders.target import parse_target
from realtime.sinks.sound import FORMATS as VIDEO_FORMATS
from realtime.sinks.sound import codecs, fit_sound, holds_sound
from realtime.sinks.video import VideoSink
from realtime.sources.base import Source

logger = logging.getLogger(__name__)

MESH_FORMATS = (".glb", ".obj", ".ply")
SIDE_BY_SIDE = views.side_by_side(views.original, views.glasses_off, views.rendered)


def shows_view(options: Options) -> bool:
    """Whether any output shows the rendered view: a lone file of `video` and `image` holds the picture itself, if that
    is not to be an avatar."""
    return options.verb in ("live", "bench") or options.view == "avatar" or Path(options.output).suffix.lower() not in (
        *VIDEO_FORMATS, *PICTURE_FORMATS,
    )  # fmt: skip


def video_sinks(options: Options, source: Source, model: FaceModel) -> list[Sink]:
    """All results of `video` in a folder; the picture alone where the output is a video file."""
    output, stem = Path(options.output).expanduser(), source.properties.stem
    if output.suffix.lower() in VIDEO_FORMATS:
        if options.view == "avatar":
            return _all([lambda: rendered_video(output, options, source), *_extras(options, source, model)])
        return _all([lambda: _video(output, options, source, views.glasses_off), *_extras(options, source, model)])
    beside = options.csv or output_path(output, stem, "blendshapes")
    mesh = options.mesh or output_path(output, stem, "animation")
    return _all([
        lambda: _video(output_path(output, stem, "noglasses"), options, source, views.glasses_off, fit=True),
        lambda: VideoSink(output_path(output, stem, "sidebyside"), source.properties, view=SIDE_BY_SIDE, threads=1),
        lambda: CoefficientsSink(output_path(output, stem, "coefficients")),
        lambda: BlendshapesSink(beside),
        lambda: mesh_sink(mesh, model, options.mesh_frame),
        *_senders(options, source),
        *([lambda: _avatar_video(output, options, source)] if options.view == "avatar" else []),
    ])  # fmt: skip


def image_sinks(options: Options, source: Source, model: FaceModel) -> list[Sink]:
    """All results of `image` in a folder; the picture alone where the output is a picture file."""
    output, stem = Path(options.output).expanduser(), source.properties.stem
    if output.suffix.lower() in PICTURE_FORMATS:
        if (source.properties.count or 1) > 1:
            raise UsageError(f"{output}: one file cannot hold {source.properties.count} pictures; name a folder")
        return _all([lambda: PictureFile(output, _still(options)), *_extras(options, source, model)])

    def renamed(ending: str) -> Callable[[int], str]:
        def name(index: int) -> str:
            path = Path(source.file_name(index))
            return f"{path.stem}{ending}{path.suffix}"

        return name

    return _all([
        lambda: PicturesSink(output, renamed("_noglasses"), views.glasses_off),
        lambda: PicturesSink(output, renamed("_sidebyside"), SIDE_BY_SIDE),
        lambda: CoefficientsSink(output_path(output, stem, "coefficients")),
        lambda: BlendshapesSink(options.csv or output_path(output, stem, "blendshapes")),
        lambda: PictureMeshes(output, source.file_name, model),
        *_senders(options, source),
        *([lambda: PicturesSink(output, renamed("_avatar"), _still(options))] if options.view == "avatar" else []),
    ])  # fmt: skip


def live_sinks(options: Options, source: Source, model: FaceModel) -> list[Sink]:
    """What `live` writes beside the window: the shown picture where the output is a video file, and what was asked."""
    sinks = list(_extras(options, source, model))
    if sends(options.output):
        tap = source.tap_audio if options.sound else lambda: None
        sinks.append(lambda: outgoing(options.output, source.properties, options.delay_s, tap))
    elif options.output not in ("window", "null"):
        output = Path(options.output).expanduser()
        if output.suffix.lower() not in VIDEO_FORMATS:
            files = f"a {', '.join(VIDEO_FORMATS)} file"
            raise UsageError(f"-o {options.output}: live writes to window, null, camera, a stream, or {files}")
        sinks.append(lambda: rendered_video(output, options, source))
    return _all(sinks)


def mesh_sink(path: Path, model: FaceModel, frame: int) -> Sink:
    """An animation for .glb, one frame (0: the first with a face) for .obj and .ply."""
    from realtime.face.export import write_animation, write_mesh

    suffix = path.suffix.lower()
    if suffix not in MESH_FORMATS:
        raise UsageError(f"{path}: meshes are written as {', '.join(MESH_FORMATS)}")
    if suffix == ".glb" and frame == 0:
        return AnimationSink(path, lambda *what: write_animation(model, *what))
    return MeshSink(path, lambda *what: write_mesh(model, *what), frame or None)


class PictureFile:
    """One picture, to one file. view: which."""

    def __init__(self, path: Path, view: views.View = views.glasses_off):
        self._path, self._view = path, view
        self.paths: tuple[Path, ...] = ()

    def write(self, shot: Shot) -> None:
        write_picture(self._path, self._view(shot))
        self.paths = (self._path,)

    def close(self) -> None:
        pass


class PictureMeshes:
    """A .glb of the largest face of every picture, under the picture's name."""

    def __init__(self, folder: Path, file_name: Callable[[int], str], model: FaceModel):
        self._folder, self._file_name, self._model = folder, file_name, model
        self._written: list[Path] = []

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self._written) if len(self._written) == 1 else ()

    def write(self, shot: Shot) -> None:
        from realtime.face.export import write_mesh

        face = largest(shot.faces)
        if face is None or face.coefficients is None:
            return
        path = (self._folder / self._file_name(shot.original.index)).with_suffix(".glb")
        write_mesh(self._model, path, face.coefficients, face.texture)
        self._written.append(path)

    def close(self) -> None:
        pass


def _extras(options: Options, source: Source, model: FaceModel) -> list[Callable[[], Sink]]:
    """What --csv, --mesh, --send and --livelink-csv ask for."""
    extras: list[Callable[[], Sink]] = _senders(options, source)
    if options.csv is not None:
        csv = options.csv
        extras.append(lambda: BlendshapesSink(csv))
    if options.mesh is not None:
        mesh = options.mesh
        extras.append(lambda: mesh_sink(mesh, model, options.mesh_frame))
    return extras


def _senders(options: Options, source: Source) -> list[Callable[[], Sink]]:
    """What --send and --livelink-csv ask for. Raises UsageError for a target that cannot be read."""
    rate = source.properties.rate
    makers: list[Callable[[], Sink]] = [partial(SenderSink, parse_target(text), rate) for text in options.send]
    if options.livelink_csv is not None:
        path = options.livelink_csv
        makers.append(lambda: LiveLinkCsvSink(path, rate))
    return makers


def is_clear(options: Options) -> bool:
    """Whether the view has no background at all."""
    return options.view == "avatar" and options.background == "transparent"


def rendered_video(path: Path, options: Options, source: Source) -> VideoSink:
    """The shown view. Raises UsageError where the file cannot be as transparent as the view."""
    view = views.transparent if is_clear(options) else views.rendered
    return _video(path, options, source, view, alpha=is_clear(options))


def _avatar_video(folder: Path, options: Options, source: Source) -> VideoSink:
    """Beside the other results, without sound."""
    clear = is_clear(options)
    path = output_path(folder, source.properties.stem, "avatar", ".webm" if clear else None)
    view = views.transparent if clear else views.rendered
    return VideoSink(path, source.properties, view=view, threads=1, alpha=clear)


def _still(options: Options) -> views.View:
    """What a lone picture shows."""
    if options.view != "avatar":
        return views.glasses_off
    return views.transparent if is_clear(options) else views.rendered


def _video(
    path: Path, options: Options, source: Source, view: views.View, fit: bool = False, alpha: bool = False
) -> VideoSink:
    """fit: the ending may change to one that can hold the sound."""
    sound = source.tap_audio() if options.sound and not source.properties.live else None
    if fit:
        path, sound = fit_sound(path, sound)
    if alpha and sound is not None and not holds_sound(path.suffix.lower(), sound):  # few files can be transparent
        others = "".join(f"; {other} can" for other in ALPHA_FORMATS if holds_sound(other, sound))
        logger.warning("%s: sound is left out: %s cannot hold %s%s", path, path.suffix, codecs(sound)[0], others)
        sound = None
    return VideoSink(path, source.properties, view=view, audio=sound, threads=1, alpha=alpha)


def _all(makers: Sequence[Callable[[], Sink]]) -> list[Sink]:
    """All sinks, or none: those made before one that failed are closed."""
    made: list[Sink] = []
    try:
        for make in makers:
            made.append(make())
    except BaseException:
        for sink in made:
            sink.close()
        raise
    return made
