"""Archives that are the same bytes whoever makes them: sorted, without dates, users or modes."""

import dataclasses
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from kit.files import replace_folder, scratch_folder

_FILE_MODE, _PROGRAM_MODE, _LINK_MODE = 0o644, 0o755, 0o777
# Zip cannot say an earlier one.
_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_ZIP_MADE_ON_UNIX = 3
_REGULAR_FILE, _SYMBOLIC_LINK = 0o100000, 0o120000


@dataclasses.dataclass(frozen=True)
class Program:
    """A file that can be run."""

    content: bytes


@dataclasses.dataclass(frozen=True)
class Link:
    """A symbolic link to a neighbour."""

    to: str


Entry = bytes | Program | Link
Files = dict[str, Entry]


def _parts(entry: Entry) -> tuple[bytes, int]:
    """Bytes that are stored, and permissions."""
    if isinstance(entry, Program):
        return entry.content, _PROGRAM_MODE
    if isinstance(entry, Link):
        return entry.to.encode(), _LINK_MODE
    return entry, _FILE_MODE


def tar_gz(files: Files) -> bytes:
    """A gzipped tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, entry in sorted(files.items()):
            content, mode = _parts(entry)
            info = tarfile.TarInfo(name)
            info.mode = mode
            if isinstance(entry, Link):
                info.type, info.linkname = tarfile.SYMTYPE, entry.to
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def zip_(files: Files) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, entry in sorted(files.items()):
            content, mode = _parts(entry)
            kind = _SYMBOLIC_LINK if isinstance(entry, Link) else _REGULAR_FILE
            info = zipfile.ZipInfo(name, _FIRST_ZIP_DATE)
            info.create_system = _ZIP_MADE_ON_UNIX
            info.external_attr = (kind | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def write_folder(path: Path, files: Files) -> None:
    """Write files as a folder, in the place of one that is there: never half of it."""
    with scratch_folder(path.parent) as work:
        new = work / "new"
        new.mkdir()
        for name, entry in files.items():
            content, mode = _parts(entry)
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(entry, Link):
                (new / name).symlink_to(entry.to)
            else:
                (new / name).write_bytes(content)
                (new / name).chmod(mode)
        replace_folder(new, path)


PACKERS: dict[str, Callable[[Files], bytes]] = {
    ".tar.gz": tar_gz,
    ".zip": zip_,
    ".aar": zip_,
    ".pack": zip_,
}
