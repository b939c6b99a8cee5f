"""Lock the Python packages: python tools/lock_packages.py [FOLDER] writes packages.lock.toml.

Finds with uv (of the extra `dev`) the newest packages that pyproject.toml allows, for Python 3.11
and newer on every system, with the hashes of all their files. FOLDER: wheels of torch for
processors alone, which are preferred where pip finds one; they stay in the lock as long as torch's
version does.
"""

import hashlib
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kit import console, process  # noqa: E402
from kit.files import write_atomically  # noqa: E402

PROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "packages.lock.toml"
OLDEST_PYTHON = "3.11"
UV_TIMEOUT_S = 300.0
CORE, BUILD, CPU, CUDA = "core", "build", "cpu", "cuda"
# torch with what it takes beyond a processor: one of the two groups CPU and CUDA is installed.
_OF_CUDA = re.compile(r"torch==|nvidia-|cuda-|triton==")
# What compiles packages that come as source; nothing else is at hand when they are built.
_BUILDERS = ("Cython", "setuptools", "wheel")
# uv does not look at the newest Python that a package allows; pip does.
_LIMITS = ("backports-strenum<1.3",)
_HEADER = """\
# Made by tools/lock_packages.py: the packages of pyproject.toml and all that they need, per extra,
# and the SHA-256 of every file that may be installed as one. tools/percepnet installs no other.
"""

Groups = dict[str, list[str]]


def main(folders: Sequence[str]) -> None:
    """Write the lock."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    more = {CORE: (), BUILD: _BUILDERS, **project["optional-dependencies"]}
    wanted = {name: [*project["dependencies"], *lines] for name, lines in more.items()}
    every = sorted({line for lines in wanted.values() for line in lines})
    versions = _compiled(every).splitlines()
    groups = {
        name: _compiled(lines, pinned=versions).splitlines() for name, lines in wanted.items()
    }
    for name in groups.keys() - {CORE}:
        groups[name] = [line for line in groups[name] if line not in groups[CORE]]
    groups = _apart(groups)
    hashes = dict(_pins(_compiled(every, "--generate-hashes")))
    for pin, found in _for_processors(groups[CUDA], folders).items():
        groups[CPU].append(pin)
        hashes[pin] = found
    write_atomically(LOCK, _render(fingerprint(project), groups, hashes).encode())
    console.info(f"{LOCK.name}: {len(hashes)} packages")


def fingerprint(project: dict) -> str:
    """Changes when what pyproject.toml asks for does."""
    asked = [project["requires-python"], project["dependencies"], project["optional-dependencies"]]
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _compiled(lines: Iterable[str], *options: str, pinned: Iterable[str] = ()) -> str:
    """What uv makes of requirements: `name==version ; marker` for each package, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, limits = Path(folder, "wanted.in"), Path(folder, "limits.txt")
        wanted.write_text("\n".join(lines))
        limits.write_text("\n".join([*_LIMITS, *pinned]))
        return process.run(
            [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--no-header"]
            + ["--no-annotate", "--python-version", OLDEST_PYTHON, "--constraint", limits]
            + [*options, wanted],
            timeout_s=UV_TIMEOUT_S,
        ).text


def _pins(compiled: str) -> Iterator[tuple[str, list[str]]]:
    """`name==version` of uv's lines, with their hashes."""
    for entry in compiled.replace("\\\n", "").splitlines():
        line, *hashes = entry.split("--hash=")
        yield line.split()[0], sorted(found.strip() for found in hashes)


def _apart(groups: Groups) -> Groups:
    """The groups, what is for CUDA in one of its own."""
    cuda = sorted({line for lines in groups.values() for line in lines if _OF_CUDA.match(line)})
    kept = {name: [x for x in lines if x not in cuda] for name, lines in groups.items()}
    return {**kept, CPU: [], CUDA: cuda}


def _for_processors(cuda: Sequence[str], folders: Sequence[str]) -> Groups:
    """Hashes by `torch==version+cpu`: of the last lock, and of wheels in the folders."""
    last = tomllib.loads(LOCK.read_text()) if LOCK.exists() else {"groups": {CPU: []}}
    found = {pin: set(last["hashes"][pin]) for pin in last["groups"].get(CPU, ())}
    for path in (path for folder in folders for path in Path(folder).glob("torch-*+cpu-*.whl")):
        pin = "==".join(path.name.split("-")[:2])
        found.setdefault(pin, set()).add(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
    return {p: sorted(hashes) for p, hashes in found.items() if p.partition("+")[0] in cuda}


def _render(project: str, groups: Groups, hashes: Groups) -> str:
    tables = {"groups": groups, "hashes": hashes}
    lines = [_HEADER, f'project = "{project}"']
    for title, table in tables.items():
        lines += ["", f"[{title}]"]
        for key, values in sorted(table.items()):
            lines += [f'"{key}" = [', *(f'    "{value}",' for value in values), "]"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
