"""From options to the stages that run: opens the networks and joins the stages in groups, a thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from engines import Engine, open_network
from engines.manifest import entries_of, read_manifest
from engines.providers import PROVIDERS, choose_entry, has_integer_dot_product
from realtime.face.model import load_face_model
from realtime.frame import Faces, Frame
from realtime.options import Options
from realtime.regressor import Regressor
from realtime.stages import Stage
from realtime.stages.calibrate import Calibrate
from realtime.stages.delete import Delete
from realtime.stages.drive import DriveAvatar
from realtime.stages.generate import Generate
from realtime.stages.landmarks import Landmarks
from realtime.stages.locate import DetectionSettings, Locate
from realtime.stages.refine import Refine
from realtime.stages.regress import Regress
from realtime.stages.remember import Remember
from realtime.stages.smooth import Smooth, SmoothLandmarks
from realtime.stages.unbend import Unbend
from realtime.tracking import Tracker
from realtime.workers import Group

OpenNetwork = Callable[[str], Engine]


@dataclass
class Switches:
    """What a person may change while the stages run; read anew for every frame."""

    remove: bool = True
    smooth: float = 0.5
    calibrations: int = 0  # how often the resting face was asked for


class Switched:
    """A stage that can be turned off while it runs."""

    def __init__(self, stage: Stage, is_on: Callable[[], bool]):
        self.stage, self.is_on, self.name = stage, is_on, stage.name

    def __call__(self, frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
        return self.stage(frame, faces) if self.is_on() else (frame, faces)

    def close(self) -> None:
        self.stage.close()


@dataclass(frozen=True)
class Pipeline:
    """Stages in groups, one thread each, and what they hold open.

    providers: network -> who runs it. precisions: network -> that of its weight file.
    """

    groups: tuple[Group, ...]
    switches: Switches
    providers: dict[str, str] = field(default_factory=dict)
    closers: tuple[Callable[[], None], ...] = ()
    precisions: dict[str, str] = field(default_factory=dict)

    def __call__(self, frame: Frame) -> tuple[Frame, Faces]:
        """One frame through all stages, on the calling thread."""
        faces: Faces = ()
        for group in self.groups:
            for stage in group.stages:
                frame, faces = stage(frame, faces)
        return frame, faces

    def describe(self) -> tuple[str, ...]:
        """Who runs which networks in which precision, a line each: "cpu int8: landmarks, deleter"."""
        groups: dict[str, list[str]] = {}
        for name, provider in self.providers.items():
            groups.setdefault(" ".join([provider, self.precisions.get(name, "")]).strip(), []).append(name)
        return tuple(f"{who}: {', '.join(names)}" for who, names in groups.items())

    def close(self) -> None:
        """After the threads have ended."""
        for close in self.closers:
            close()


def networks_of(options: Options) -> tuple[str, ...]:
    """Names of the networks that a run with these options needs."""
    removal = ("deleter", "lenses", "generator") if options.remove else ()
    texture = ("refiner",) if options.texture != "model" else ()
    return ("detector", "landmarks", *removal, "coefficients", "recogniser", "lids", *texture)


def open_pipeline(options: Options, *, live: bool = False, stills: bool = False) -> Pipeline:
    """Opens every network and builds the stages. Raises engines.EngineError.

    live: detector and refiner run beside the loop. stills: every picture is a scene of its own.
    """
    engines: dict[str, Engine] = {}
    try:
        for name in networks_of(options):
            engines[name] = open_network(name, options.quality, options.provider, models_dir=options.models_dir)
        executor = ThreadPoolExecutor(1, thread_name_prefix="detect") if live else None
        switches = Switches(options.remove, options.smooth)
        groups = build_groups(options, engines, switches, executor=executor, stills=stills)
    except BaseException:
        _close_all(engines.values())
        raise
    closers = [*(stage.close for group in groups for stage in group.stages)]  # type: ignore[attr-defined]
    closers += [lambda: executor.shutdown(cancel_futures=True)] if executor is not None else []
    closers += [engine.close for engine in engines.values()]
    providers = {name: engine.provider for name, engine in engines.items()}
    return Pipeline(groups, switches, providers, tuple(closers), _precisions(options, providers))


def _precisions(options: Options, providers: dict[str, str]) -> dict[str, str]:
    entries, integer = read_manifest(options.models_dir), has_integer_dot_product()
    return {
        name: choose_entry(entries_of(name, entries, options.quality), PROVIDERS[provider], integer).precision
        for name, provider in providers.items()
        if provider in PROVIDERS
    }


def build_groups(
    options: Options,
    engines: dict[str, Engine],
    switches: Switches,
    *,
    executor: Executor | None = None,
    stills: bool = False,
) -> tuple[Group, ...]:
    """The stages of the design, section 2, in groups of about equal cost, so that two cores stay busy.

    executor: one thread beside the loop, for what no frame waits for (the detector, the refiner); None does it at once.
    """
    settings = DetectionSettings(smallest_px=24.0, stills=True) if stills else DetectionSettings()
    tracker, model = Tracker(options.faces), load_face_model("live")
    locate = Locate(engines["detector"], tracker, settings, executor)
    smooth = (lambda: 0.0) if stills else (lambda: switches.smooth)
    landmarks = Landmarks(engines["landmarks"], tracker, locate.recover, careful=stills)
    track: list[Stage] = [locate, landmarks, SmoothLandmarks(smooth)]
    synthesise: list[Stage] = []
    if options.remove:
        track.append(Switched(Delete(engines["deleter"]), lambda: switches.remove))
        removal: tuple[Stage, ...] = (Unbend(engines["lenses"]), Generate(engines["generator"]))
        synthesise += [Switched(stage, lambda: switches.remove) for stage in removal]
    rebuild: list[Stage] = [
        Regress(Regressor(engines["coefficients"], engines["recogniser"]), model, careful=stills), Smooth(smooth),
    ]  # fmt: skip
    if options.remove and options.memory and not stills:
        rebuild.append(Switched(Remember(model), lambda: switches.remove))
    rebuild += [Calibrate(lambda: switches.calibrations)]
    adapt = options.adapt and not stills
    rebuild += [DriveAvatar(model, smooth, lambda: switches.calibrations, adapt=adapt, lids=engines["lids"])]
    if options.texture != "model":
        rebuild += [Refine(model, engines["refiner"], executor, camera=options.texture == "live")]
    return tuple(Group(stages) for stages in (track, synthesise, rebuild) if stages)


def _close_all(engines: Iterable[Engine]) -> None:
    for engine in engines:
        engine.close()
