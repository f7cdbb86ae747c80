"""Flags that several tools have, and flags that come from the options of a plug-in."""

from __future__ import annotations

import types
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

__all__ = ["YAML_VALUE", "flag_name", "flags_of", "force", "json_result", "quiet", "values_of"]

F = TypeVar("F", bound=Callable[..., Any])
_PREFIX = "option_of_format_"


def quiet(function: F) -> F:
    """Add ``--quiet``."""
    return click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors and the result.")(function)


def json_result(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def force(what: str) -> Callable[[F], F]:
    """Add ``--force``, which replaces ``what``."""
    return click.option("--force", is_flag=True, help=f"Replace {what} that is there already.")


class YamlValue(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions of click
    """A value written as in a model file: a number, a text, true, a list."""

    name = "value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text."""
        if not isinstance(value, str):
            return value
        try:
            return YAML(typ="safe", pure=True).load(value)
        except (YAMLError, ValueError, RecursionError):
            self.fail(f"{value!r} is not a YAML value", param, ctx)


YAML_VALUE = YamlValue()


def flag_name(field: str) -> str:
    """Return the flag of a field: ``n_scale`` becomes ``--n-scale``."""
    return "--" + field.replace("_", "-")


def flags_of(options: type[BaseModel]) -> list[click.Option]:
    """Return one flag for every field of a class of options.

    A bool makes a pair of flags, a Literal or Enum a choice; int, float, text and Path are what they are;
    anything else is read as YAML. An unset flag stays unset, so that the class decides its default.
    """
    return [_flag(name, field) for name, field in options.model_fields.items()]


def values_of(parameters: dict[str, Any]) -> dict[str, Any]:
    """Take the values of :func:`flags_of` out of the parameters of a command; only those that were given."""
    own = [name for name in parameters if name.startswith(_PREFIX)]
    values = {name.removeprefix(_PREFIX): parameters.pop(name) for name in own}
    return {name: value for name, value in values.items() if value is not None}


def _flag(name: str, field: FieldInfo) -> click.Option:
    kind = _bare(field.annotation)
    flag = flag_name(name)
    if kind is bool:
        flag += "/--no-" + flag.removeprefix("--")
    default = None if field.is_required() else field.get_default(call_default_factory=False)
    shown = "" if default is None or default == () else str(getattr(default, "value", default))
    if kind is bool and shown:
        shown = flag.split("/")[0 if default else 1].removeprefix("--")
    text = f"{field.description or ''}  [default: {shown}]" if shown else field.description
    return click.Option([flag, _PREFIX + name], type=_type(kind), default=None, required=field.is_required(), help=text)


def _bare(annotation: Any) -> Any:
    """Take Annotated and ``| None`` off a type."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return _bare(parts[0]) if len(parts) == 1 else Any
    return annotation


def _type(kind: Any) -> click.ParamType[Any, Any] | None:
    if kind is bool:
        return None
    if get_origin(kind) is Literal:
        return _Choice({str(value): value for value in get_args(kind)})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _Choice({str(item.value): item for item in kind})
    if kind is Path:
        return click.Path(path_type=Path)
    simple: dict[Any, click.ParamType[Any, Any]] = {int: click.INT, float: click.FLOAT, str: click.STRING}
    return simple.get(kind, YAML_VALUE)


class _Choice(click.Choice):  # type: ignore[type-arg]
    """A choice that gives back the value behind the text."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(list(values))
        self._values = values

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._values[super().convert(value, param, ctx)]
