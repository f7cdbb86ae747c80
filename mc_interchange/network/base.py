"""What all parts of the description share: immutable, closed, finite, one line per error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from mc_interchange.errors import ModelError

__all__ = ["Count", "Name", "NonNegative", "Part", "Positive", "Probability", "Real", "explain", "refusal"]

#: A finite number. Strict, because ``true`` and ``"12"`` are mistakes here, not numbers.
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
NonNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Probability = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0)]
#: Names become HDF5 groups, file names and XML identifiers, hence the narrow alphabet.
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


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
    first = problems[0]
    where = ""
    for key in first["loc"]:
        if isinstance(key, int):
            where += f"[{key}]"
        elif not _is_tag(key):
            where += f".{key}" if where else str(key)
    context = first.get("ctx", {})
    if "at" in context:
        where += f".{context['at']}" if where else context["at"]
    message = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    line = f"{where or 'model'}: "
    if first["type"] == "missing":
        line += "this required key is missing"
    elif first["type"] == "union_tag_invalid":
        line += f"must be one of {context['expected_tags']}, got {context['tag']!r}"
    elif first["type"] == "union_tag_not_found":
        line += f"the key {context['discriminator']} is missing"
    elif first["type"] == "extra_forbidden":
        line += "unknown key (it is misspelt or does not belong here)"
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


#: Union tags that pydantic puts into the path of an error; they are values in the file, not keys.
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


def _is_tag(key: str | int) -> bool:
    return key in _TAGS
