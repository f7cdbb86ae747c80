"""What all parts of the description share: immutable, closed, finite, one line per error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from mc_interchange.errors import ModelError

__all__ = [
    "MAX_NAME",
    "Count",
    "Flag",
    "Name",
    "NonNegative",
    "Part",
    "Positive",
    "Probability",
    "Real",
    "Size",
    "check_window",
    "explain",
    "refusal",
]

#: A finite number. Strict, because ``true`` and ``"12"`` are mistakes here, not numbers.
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
NonNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Probability = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
Flag = Annotated[bool, Field(strict=True)]
#: Characters of a name at most.
MAX_NAME = 64
#: Names become HDF5 groups, file names and XML identifiers, hence the narrow alphabet.
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=MAX_NAME)]


def _whole(value: Any) -> Any:
    """Let ``1e5`` stand for 100000: YAML and JSON schema do not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, Field(strict=True, ge=0, le=2**53), BeforeValidator(_whole)]
#: Number of neurons of a population; their ids are 32-bit.
Size = Annotated[int, Field(strict=True, ge=1, le=2**32), BeforeValidator(_whole)]

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _OneLineErrors(ModelMetaclass):
    """Turn what pydantic raises on construction into a :class:`ModelError`.

    In the metaclass, not in ``__init__``: parts inside parts must not do it, or the path would be lost.
    """

    def __call__(cls, *args: Any, **values: Any) -> Any:
        try:
            return super().__call__(*args, **values)
        except ValidationError as error:
            raise ModelError(f"{cls.__name__}: {explain(error)}") from None


class Part(BaseModel, metaclass=_OneLineErrors):
    """Base class of every part of a Network."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


def check_window(start: float, stop: float | None) -> None:
    """Refuse a stop (ms) that is not after the start."""
    if stop is not None and stop <= start:
        raise ValueError(f"stop must be after start ({start:g} ms), got {stop:g}")


def refusal(at: str, message: str) -> PydanticCustomError:
    """Make the error that a check of several fields raises, with the path of the field it blames.

    Parameters
    ----------
    at
        Path below the part that is being checked, as in ``parameters.C_m``.
    message
        What is allowed, and the value.
    """
    return PydanticCustomError("at", "{message}", {"at": at, "message": message, "complete": True})


def explain(error: ValidationError) -> str:
    """Return one line that names the first wrong field, its value, what is allowed, and how many follow.

    Parameters
    ----------
    error
        What pydantic found.
    """
    problems = error.errors(include_url=False)
    # a list whose items are wrong counts as empty, too: not a mistake of the file
    problems = [p for p in problems if len(problems) == 1 or p["type"] != "too_short"] or problems
    first = problems[0]
    context = first.get("ctx", {})
    where = _path(first["loc"], ends_in_key=first["type"] in ("missing", "extra_forbidden"))
    if "at" in context:
        where += f".{context['at']}" if where and not context["at"].startswith("[") else context["at"]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] in _MESSAGES:
        message = _MESSAGES[first["type"]].format_map(context)
    message = message.replace("Input should", "must").replace("String should", "must")
    line = f"{where or 'model'}: "
    if first["type"] == "missing":
        line += "this required key is missing"
    elif first["type"] == "union_tag_invalid":
        line += f"must be one of {context['expected_tags']}, got {_shorten(context['tag'])}"
    elif first["type"] == "union_tag_not_found":
        line += f"the key {context['discriminator']} is missing"
    elif first["type"] == "extra_forbidden":
        line += "unknown key (it is misspelt or does not belong here)"
    elif first["type"] == "tag":
        tag = first["input"].get(context["key"]) if isinstance(first["input"], dict) else first["input"]
        line += f"{message}, got {_shorten(tag)}" if _shorten(tag) else message
    else:
        shown = "" if context.get("complete") else _shorten(first["input"])
        line += f"{message[:1].lower()}{message[1:]}" + (f", got {shown}" if shown else "")
    if len(problems) > 1:
        line += f" (and {len(problems) - 1} more)"
    return line


def _shorten(value: Any) -> str:
    if isinstance(value, dict | list | tuple | BaseModel):
        return ""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


#: Tags of unions, which pydantic puts into the path of an error; they are values in the file, not keys.
_TAGS = frozenset(
    [
        "constant",
        "normal",
        "truncated_normal",
        "uniform",
        "values",
        "fixed_total_number",
        "pairwise_bernoulli",
        "fixed_indegree",
        "fixed_outdegree",
        "one_to_one",
        "all_to_all",
        "explicit",
        "poisson",
        "step_current",
        "spike_trains",
        "neurons",
        "virtual",
    ]
)


#: In the words of the file, where pydantic's are those of Python.
_MESSAGES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "float_type": "must be a number",
    "greater_than_equal": "must be at least {ge:.12g}",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "less_than_equal": "must be at most {le:.12g}",
    "model_attributes_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "string_type": "must be a text",
    "too_short": "must have at least {min_length} item",
    "tuple_type": "must be a list",
}


def _path(location: tuple[int | str, ...], *, ends_in_key: bool) -> str:
    path, after_tag = "", False
    for position, key in enumerate(location):
        certain = ends_in_key and position == len(location) - 1
        # a key may be called like a tag (values.values[2]); two tags never follow each other
        after_tag = not certain and not after_tag and key in _TAGS
        if isinstance(key, int):
            path += f"[{key}]"
        elif not after_tag:
            path += f".{key}" if path else key
    return path
