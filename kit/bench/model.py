"""Which model is measured: a target's own, or one of an architecture, trained or random."""

import dataclasses
from pathlib import Path

from kit.errors import KitError
from kit.files import write_atomically
from kit.model.architecture import ARCHITECTURES
from kit.model.export import write_tflite
from kit.model.import_ import Model, load_model
from kit.model.random_model import random_weights
from kit.paths import BUILD, MODELS
from kit.target import Target


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model to measure: `name` for people, its file, and the folder of build/ for its builds."""

    name: str
    path: Path
    below: str
    is_random: bool

    def load(self) -> Model:
        """Its weights."""
        return load_model(self.path)

    @property
    def title(self) -> str:
        """Name, and that its weights are random where they are."""
        return f"{self.name} (random weights)" if self.is_random else self.name


def find_subject(target: Target, arch: str | None) -> Subject:
    """The target's own model if `arch` is None; else that of the name in kit/models, or one with
    random weights of the architecture. Raises KitError for an unknown name."""
    name = arch or target.model
    trained = MODELS / f"{name}.tflite"
    below = "" if name == target.model else f"bench/{name}"
    if trained.is_file():
        return Subject(name, trained, below, is_random=False)
    if name not in ARCHITECTURES:
        known = sorted({*ARCHITECTURES, *(path.stem for path in MODELS.glob("*.tflite"))})
        raise KitError(f"unknown architecture `{name}`", hint=f"known: {', '.join(known)}")
    path = BUILD / "bench" / f"{name}.tflite"
    shape = ARCHITECTURES[name]
    data = write_tflite(random_weights(shape), shape, {"name": f"{name}, random weights"})
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    return Subject(name, path, below or f"bench/{name}", is_random=True)
