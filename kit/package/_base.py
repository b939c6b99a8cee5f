"""What a format of packages is: which targets it is for, and the files that it holds."""

import abc
import dataclasses
from pathlib import Path
from typing import ClassVar

from kit import __version__
from kit.errors import KitError
from kit.files import write_atomically
from kit.package._archive import PACKERS, Files, write_folder
from kit.paths import MODELS, ROOT
from kit.target import Target


@dataclasses.dataclass(frozen=True)
class Request:
    """What to pack: a target, and a .tflite file (the target's own model when left out)."""

    target: Target
    model: Path | None = None

    @property
    def version(self) -> str:
        return __version__

    @property
    def model_path(self) -> Path:
        """The .tflite file. Raises KitError when it does not exist."""
        path = self.model or MODELS / f"{self.target.model}.tflite"
        if not path.is_file():
            raise KitError(f"there is no model `{path}`", hint="name another: --model FILE.tflite")
        return path

    def documents(self) -> Files:
        """What every package brings: the licence, and the model's card where there is one."""
        files: Files = {"LICENSE": (ROOT / "LICENSE").read_bytes()}
        card = self.model_path.with_suffix(".md")
        if card.is_file():
            files["MODEL.md"] = card.read_bytes()
        return files


class Format(abc.ABC):
    """One kind of package.

    suffix: the archive's (.tar.gz, .zip, .aar, .pack), or empty for a plain folder.
    """

    description: ClassVar[str]
    suffix: ClassVar[str]

    @abc.abstractmethod
    def unfit(self, target: Target) -> str:
        """Why this format is not for a target, or nothing when it is."""

    @abc.abstractmethod
    def files(self, request: Request) -> Files:
        """The package's files by their paths in it; builds what they need. Raises KitError."""

    def stem(self, request: Request) -> str:
        """Name of the package, without the suffix."""
        name = type(self).__module__.rpartition(".")[2]
        return f"percepnet-{request.version}-{request.target.name}-{name}"

    def folder(self, request: Request) -> str:
        """The one folder in the archive; empty if files lie at its top."""
        return self.stem(request)

    def write(self, request: Request, destination: Path) -> Path:
        """Write the package into a folder; its path. Raises KitError for an unfit target."""
        if why := self.unfit(request.target):
            raise KitError(f"no such package for target `{request.target.name}`: {why}")
        stem, files = self.stem(request), self.files(request)
        path = destination / (stem + self.suffix)
        if not self.suffix:
            write_folder(path, files)
            return path
        folder = self.folder(request)
        prefix = f"{folder}/" if folder else ""
        pack = PACKERS[self.suffix]
        write_atomically(path, pack({prefix + name: content for name, content in files.items()}))
        return path
