"""Closed request schemas, and what Metabase answers when a request does not fit one.

The models themselves live beside the endpoints that take them.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from tests.metabase.core.errors import ApiError

_Model = TypeVar("_Model", bound=BaseModel)
NonBlank = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
PositiveInt = Annotated[int, Field(ge=1)]
NaturalInt = Annotated[int, Field(ge=0)]
EntityId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{21}$")]
OpenMap = dict[str, Any]
"""A map whose keys are not Metabase's to know: visualisation settings, connection details."""


class Body(BaseModel):
    """A request body: JSON types as they are, no key beyond those named."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    def given(self) -> dict[str, Any]:
        """What the request really said, by the names on the wire."""
        return self.model_dump(exclude_unset=True, by_alias=True)


class Query(BaseModel):
    """A query string: texts, converted; unknown keys are dropped, as by the servers before and after the hardening."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


def parse(model: type[_Model], raw: Any, *, drop: bool = False, what: str = "body") -> tuple[_Model, list[str]]:
    """A request as its model, and the keys that were dropped on the way (only with `drop`).

    Raises:
        ApiError: 400 with `errors` and `specific-errors`, as from Metabase's own schemas.
    """
    dropped: list[str] = []
    while True:
        try:
            return model.model_validate(raw), dropped
        except ValidationError as error:
            problems = error.errors(include_url=False)
            extra = [p for p in problems if p["type"] == "extra_forbidden"]
            if not drop or not extra:
                raise refused(problems, raw, what) from None
            for problem in extra:
                _remove(raw, problem["loc"])
                dropped.append(".".join(map(str, problem["loc"])))


def refused(problems: list[Any], raw: Any, what: str) -> ApiError:
    """The 400 for what pydantic complains about."""
    if not isinstance(raw, dict):
        return ApiError(400, {"errors": {what: "value must be a map."}, "specific-errors": ["invalid type"]})
    errors: dict[str, Any] = {}
    specific: dict[str, Any] = {}
    for problem in problems:
        path = _wire_path(problem["loc"], raw)
        if problem["type"] == "extra_forbidden":
            general, exact = "unexpected key", f"disallowed key, received: {_shown(problem['input'])}"
        elif problem["type"] == "missing":
            general, exact = "value is required.", "missing required key, received: nil"
        else:
            general, exact = f"{problem['msg']}.", f"{problem['msg']}, received: {_shown(problem['input'])}"
        _put(errors, [str(p) for p in path if isinstance(p, str)] or [what], general)
        _put(specific, [str(p) for p in path if isinstance(p, str)] or [what], [exact])
    return ApiError(400, {"errors": errors, "specific-errors": specific})


def _wire_path(location: tuple[Any, ...], raw: Any) -> list[Any]:
    """The path in the request: pydantic's, without the names of union members."""
    path: list[Any] = []
    here = raw
    for number, step in enumerate(location):
        last = number == len(location) - 1
        if isinstance(here, dict) and (step in here or last):
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        elif not (last and isinstance(here, dict)):
            continue
        path.append(step)
    return path


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        target = target.setdefault(step, {})
        if not isinstance(target, dict):
            return
    target.setdefault(path[-1], value)


def _remove(raw: Any, location: tuple[Any, ...]) -> None:
    for step in location[:-1]:
        if (isinstance(raw, dict) and step in raw) or (isinstance(raw, list) and isinstance(step, int)):
            raw = raw[step]
    del raw[location[-1]]


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 120 else text[:120] + "…"
