"""Dataclasses from TOML tables, strictly: a mistake names the file, the key and what is right."""

import collections.abc
import dataclasses
import difflib
import reprlib
import sys
import types
import typing

from kit.errors import TargetError

_TYPE_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    collections.abc.Mapping: "a table",
}


def construct(cls: type, data: dict[str, typing.Any], where: str, prefix: str = "") -> typing.Any:
    """A dataclass from a TOML table.

    where: the file, as people see it. prefix: path of the table in it, with a dot at its end.
    Raises TargetError for an unknown or missing key and for a value of the wrong type.
    """
    hints = typing.get_type_hints(cls)
    for key in data:
        if key not in hints:
            _refuse_key(key, sorted(hints), where, prefix)
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


def _refuse_key(key: str, known: list[str], where: str, prefix: str) -> typing.NoReturn:
    valid = [name for name in known if prefix or name != "name"]
    near = difflib.get_close_matches(key, valid, n=1)
    guess = f"did you mean `{near[0]}`? " if near else ""
    raise TargetError(
        f"{where}: unknown key `{prefix}{key}`", hint=f"{guess}valid keys: {', '.join(valid)}"
    )


def _convert(hint: typing.Any, value: typing.Any, where: str, key: str) -> typing.Any:
    """Check a value against its annotation; lists become tuples, tables dataclasses or dicts."""
    hint = _without_none(hint)
    origin = typing.get_origin(hint)
    if origin is tuple and isinstance(value, list):
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, item, where, f"{key}[{i}]") for i, item in enumerate(value))
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return construct(hint, value, where, key + ".")
    if origin is collections.abc.Mapping and isinstance(value, dict):
        inner = typing.get_args(hint)[1]
        return {name: _convert(inner, item, where, f"{key}.{name}") for name, item in value.items()}
    if hint is float and type(value) in (int, float) and abs(value) <= sys.float_info.max:
        return float(value)
    if hint in (str, int, bool) and type(value) is hint:
        return value
    raise TargetError(f"{where}: `{key}` must be {_words(hint)}, not {reprlib.repr(value)}")


def _without_none(hint: typing.Any) -> typing.Any:
    if typing.get_origin(hint) is types.UnionType:
        return next(choice for choice in typing.get_args(hint) if choice is not types.NoneType)
    return hint


def _words(hint: typing.Any) -> str:
    hint = _without_none(hint)
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return "a list of tables" if dataclasses.is_dataclass(inner) else "a list of texts"
    return _TYPE_WORDS.get(origin or hint, _TYPE_WORDS[collections.abc.Mapping])
