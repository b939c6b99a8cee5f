"""Strict loader of target descriptions: a mistake names file, key and what is right."""

import collections.abc
import dataclasses
import difflib
import tomllib
import types
import typing
from pathlib import Path

from kit.errors import TargetError
from kit.paths import FIRMWARE, ROOT, TARGETS
from kit.target.schema import Target, Toolchain

# Folders of targets/ that hold parts of targets, not targets.
_PARTS = ("cpus", "toolchains")
_TYPE_WORDS = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    tuple: "a list of texts",
    dict: "a table",
}


def target_names(base: Path = TARGETS) -> list[str]:
    """Names of all targets, sorted."""
    return sorted(_target_files(base))


def load_target(name: str, base: Path = TARGETS) -> Target:
    """Read targets/*/NAME.toml. Raises TargetError for an unknown name or a mistake in it."""
    files = _target_files(base)
    if name not in files:
        raise _unknown("target", name, sorted(files), "see them all: ./tools/percepnet targets")
    path = files[name]
    target = _construct(Target, {"name": name} | _read(path, base), _shown(path), "")
    _check_choice(path, "toolchain", target.toolchain, _stems(base / "toolchains"))
    _check_choice(
        path,
        "port",
        target.port,
        sorted(p.name for p in (FIRMWARE / "port").iterdir() if p.is_dir()),
    )
    known_isas = load_toolchain(target.toolchain, base).isa_flags
    for isa in target.isas:
        _check_choice(path, "isas", isa, sorted(known_isas))
    return target


def load_toolchain(name: str, base: Path = TARGETS) -> Toolchain:
    """Read targets/toolchains/NAME.toml. Raises TargetError as load_target does."""
    path = base / "toolchains" / f"{name}.toml"
    if not path.is_file():
        raise _unknown(
            "toolchain", name, _stems(path.parent), f"toolchains live in {_shown(path.parent)}/"
        )
    return _construct(Toolchain, {"name": name} | _read(path, base), _shown(path), "")


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as bad:
        raise TargetError(f"{_shown(path)}: not valid TOML: {bad}") from bad
    parent = own.pop("extends", None)
    if parent is None:
        return own
    if not isinstance(parent, str):
        raise TargetError(
            f"{_shown(path)}: `extends` must be text",
            hint='for example: extends = "cpus/cortex_m55"',
        )
    return _merge(_read(base / f"{parent}.toml", base, (*seen, path)), own)


def _merge(under: dict[str, typing.Any], over: dict[str, typing.Any]) -> dict[str, typing.Any]:
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _construct(cls: type, data: dict[str, typing.Any], where: str, prefix: str) -> typing.Any:
    """Build a dataclass from a TOML table, checking each key and type."""
    hints = typing.get_type_hints(cls)
    for key in data:
        if key not in hints:
            valid = sorted(name for name in hints if prefix or name != "name")
            near = difflib.get_close_matches(key, valid, n=1)
            hint = (
                f"did you mean `{near[0]}`? " if near else ""
            ) + f"valid keys: {', '.join(valid)}"
            raise TargetError(f"{where}: unknown key `{prefix}{key}`", hint=hint)
    for field in dataclasses.fields(cls):
        optional = (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )
        if field.name not in data and not optional:
            raise TargetError(
                f"{where}: key `{prefix}{field.name}` is missing",
                hint=f"it is {_words(hints[field.name])}",
            )
    values = {key: _convert(hints[key], value, where, prefix + key) for key, value in data.items()}
    return cls(**values)


def _convert(hint: typing.Any, value: typing.Any, where: str, key: str) -> typing.Any:
    """Check a value against its annotation; lists become tuples, tables dataclasses or dicts."""
    origin = typing.get_origin(hint)
    if origin is types.UnionType:
        hint = next(choice for choice in typing.get_args(hint) if choice is not type(None))
    if origin is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _construct(hint, value, where, key + ".")
    if origin is collections.abc.Mapping and isinstance(value, dict):
        inner = typing.get_args(hint)[1]
        return {name: _convert(inner, item, where, f"{key}.{name}") for name, item in value.items()}
    if hint in (str, int, bool) and type(value) is hint:
        return value
    raise TargetError(f"{where}: `{key}` must be {_words(hint)}, not {value!r}")


def _words(hint: typing.Any) -> str:
    origin = typing.get_origin(hint)
    if origin is tuple:
        return _TYPE_WORDS[tuple]
    return _TYPE_WORDS.get(hint, _TYPE_WORDS[dict])
