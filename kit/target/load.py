"""Strict loader of target descriptions: a mistake names file, key and what is right."""

import dataclasses
import difflib
import re
import tomllib
import typing
from pathlib import Path

from kit.errors import TargetError
from kit.paths import FIRMWARE, ROOT, TARGETS
from kit.target.construct import construct
from kit.target.memory import check_memory
from kit.target.ndk import choose_compiler
from kit.target.schema import BARE_METAL_PORT, PROVEN, Target, Toolchain

# Folders of targets/ that hold parts of targets, not targets.
_PARTS = ("cpus", "toolchains")
# `NAME+TOOLCHAIN` is the target NAME, built by another compiler in a folder of its own.
_WITH = "+"
# What `extends` may say.
_PART = re.compile(r"[a-z]+/[A-Za-z0-9_]+")


def target_names(base: Path = TARGETS) -> list[str]:
    """Names of all targets, sorted."""
    return sorted(_target_files(base))


def target_kind(name: str, base: Path = TARGETS) -> str:
    """The folder of a target's file: host, emulators, boards or phones."""
    return _target_files(base)[name].parent.name


def load_target(name: str, base: Path = TARGETS) -> Target:
    """Read targets/*/NAME.toml; `NAME+TOOLCHAIN` takes another toolchain than the file says.

    Raises TargetError for an unknown name or a mistake in the file.
    """
    stem, _, other_toolchain = name.partition(_WITH)
    files = _target_files(base)
    if stem not in files:
        raise _unknown("target", stem, sorted(files), "see them all: ./tools/percepnet targets")
    path = files[stem]
    target = construct(Target, {"name": name} | _read(path, base), _shown(path))
    if other_toolchain:
        target = dataclasses.replace(target, toolchain=other_toolchain)
        load_toolchain(other_toolchain, base)
    _check_choice(path, "toolchain", target.toolchain, _stems(base / "toolchains"))
    _check(path, target, load_toolchain(target.toolchain, base))
    return target


def _check(path: Path, target: Target, toolchain: Toolchain) -> None:
    """What no type says: names that must exist, and keys that belong together."""
    _check_choice(path, "proven", target.proven, PROVEN)
    ports = {p.name for p in (FIRMWARE / "port").iterdir() if p.is_dir()} - {BARE_METAL_PORT}
    _check_choice(path, "port", target.port, sorted(ports))
    boards = _c_stems(FIRMWARE / "port" / target.port / "boards")
    if boards or target.board:
        _check_choice(path, "board", target.board, boards)
    for isa in target.isas:
        _check_choice(path, "isas", isa, sorted(toolchain.isa_flags))
    if target.best_isa:
        _check_choice(path, "best_isa", target.best_isa, target.isas)
    for isa in target.costs:
        _check_choice(path, "costs", isa, target.isas)
    for limits in target.instructions.values():
        for isa in limits:
            _check_choice(path, "instructions", isa, target.isas)
    for variant in target.variants:
        _check_choice(path, "variants", variant, sorted(toolchain.variants))
    for cluster in target.clusters.values():
        if cluster.cores < 1:
            raise TargetError(f"{_shown(path)}: a cluster has at least one core")
    if (target.clock_hz or target.bandwidth_mb_s or target.memory) and not target.notes:
        raise TargetError(
            f"{_shown(path)}: `notes` is missing: hardware figures need their source",
            hint='for example: notes = [{text = "64 MB flash", source = "data sheet, section 2"}]',
        )
    if toolchain.android and not target.android:
        raise TargetError(
            f"{_shown(path)}: table `android` is missing: toolchain `{toolchain.name}` needs it",
            hint='extend "cpus/android_arm64" or "cpus/android_armv7"',
        )
    check_memory(_shown(path), target, required=toolchain.bare_metal)


def load_toolchain(name: str, base: Path = TARGETS) -> Toolchain:
    """Read targets/toolchains/NAME.toml. Raises TargetError as load_target does."""
    path = base / "toolchains" / f"{name}.toml"
    if not path.is_file():
        raise _unknown(
            "toolchain", name, _stems(path.parent), f"toolchains live in {_shown(path.parent)}/"
        )
    return choose_compiler(construct(Toolchain, {"name": name} | _read(path, base), _shown(path)))


def _target_files(base: Path) -> dict[str, Path]:
    """Every target's file by its name; two files of one name are an error."""
    files: dict[str, Path] = {}
    for path in sorted(base.glob("*/*.toml")):
        if path.parent.name in _PARTS:
            continue
        if path.stem in files:
            raise TargetError(
                f"two targets of one name: {_shown(files[path.stem])} and {_shown(path)}"
            )
        files[path.stem] = path
    return files


def _stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def _c_stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.c"))


def _shown(path: Path) -> str:
    """The path as people see it: from the checkout's root where it is inside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _unknown(noun: str, name: str, known: list[str], otherwise: str) -> TargetError:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = (
        f"did you mean {' or '.join(f'`{n}`' for n in near)}?"
        if near
        else f"known: {', '.join(known)}"
    )
    return TargetError(f"unknown {noun} `{name}`", hint=f"{hint}\n{otherwise}")


def _check_choice(path: Path, key: str, value: str, valid: typing.Collection[str]) -> None:
    if not value:
        raise TargetError(
            f"{_shown(path)}: key `{key}` is missing", hint=f"valid: {', '.join(valid)}"
        )
    if value not in valid:
        raise TargetError(
            f"{_shown(path)}: `{key}` names `{value}`", hint=f"valid: {', '.join(valid)}"
        )


def _read(path: Path, base: Path, seen: tuple[Path, ...] = ()) -> dict[str, typing.Any]:
    """One file merged over what it extends: tables key by key, all else replaced."""
    if path in seen:
        raise TargetError(f"{_shown(path)}: `extends` goes round in a circle")
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        parts = sorted(
            f"{p.parent.name}/{p.stem}" for folder in _PARTS for p in (base / folder).glob("*.toml")
        )
        where = _shown(seen[-1]) if seen else _shown(path)
        wanted = path.relative_to(base).with_suffix("")
        raise TargetError(
            f"{where}: `extends` names `{wanted}`", hint=f"valid: {', '.join(parts)}"
        ) from missing
    except OSError as unreadable:
        which = f"{_shown(seen[-1])}: what `extends` names" if seen else f"{_shown(path)}:"
        raise TargetError(f"{which} cannot be read: {unreadable.strerror}") from unreadable
    except (ValueError, RecursionError) as bad:  # numbers too long, tables too deep as well
        raise TargetError(f"{_shown(path)}: not valid TOML: {bad}") from bad
    parent = own.pop("extends", None)
    if parent is None:
        return own
    if not isinstance(parent, str) or not _PART.fullmatch(parent):
        raise TargetError(
            f"{_shown(path)}: `extends` must be a file of targets/, without .toml",
            hint='for example: extends = "cpus/cortex_m55"',
        )
    return _merge(_read(base / f"{parent}.toml", base, (*seen, path)), own)


def _merge(under: dict[str, typing.Any], over: dict[str, typing.Any]) -> dict[str, typing.Any]:
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
