"""Which model is measured: a target's own, a file, or one of an architecture, trained or random."""

import dataclasses
import hashlib
import os
from pathlib import Path

from kit.errors import KitError
from kit.files import write_atomically
from kit.model.architecture import ARCHITECTURES
from kit.model.export import write_tflite
from kit.model.import_ import Model, load_model
from kit.model.random_model import random_weights
from kit.paths import BUILD, MODELS
from kit.target import Target

SUFFIX = ".tflite"


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


def find_subject(target: Target, model: str | None) -> Subject:
    """The target's own model if `model` is None; else a .tflite file, the model of that name in
    kit/models, or one with random weights of that architecture.

    Raises KitError for a name or file that is none of these.
    """
    if model and (Path(model).suffix == SUFFIX or os.sep in model):
        return _subject_of_file(Path(model))
    name = model or target.model
    trained = MODELS / f"{name}{SUFFIX}"
    below = "" if name == target.model else f"bench/{name}"
    if trained.is_file():
        return Subject(name, trained, below, is_random=False)
    if name not in ARCHITECTURES:
        known = sorted({*ARCHITECTURES, *(path.stem for path in MODELS.glob(f"*{SUFFIX}"))})
        raise KitError(
            f"unknown model `{name}`", hint=f"known: {', '.join(known)}, or a .tflite file"
        )
    path = BUILD / "bench" / f"{name}{SUFFIX}"
    shape = ARCHITECTURES[name]
    data = write_tflite(random_weights(shape), shape, {"name": f"{name}, random weights"})
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    return Subject(name, path, below or f"bench/{name}", is_random=True)


def _subject_of_file(path: Path) -> Subject:
    load_model(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return Subject(path.stem, path, f"bench/{digest}", is_random=False)
