"""The shape of experiments and custom metrics in `clients.yml`.

What belongs here: their keys and YAML types, which alone can refuse the file. What does not: whether they make sense
(`experiments`, `custom_metrics`): an entry that does not is kept and listed as invalid, and the rest works.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from babel.numbers import is_currency
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr

from dashboards.checked_yaml import refuse
from orchestration.clients import values

Row = dict[str, Any]
Rate = dict[str, Any]
"""A row of `ops.exchange_rate`."""
ObjectRef = dict[str, str]
"""A campaign, ad set or ad: `{"id": digits}` or `{"name": exact name}`."""

_DIGITS = re.compile(r"-?[1-9][0-9]{0,18}")


def parse_currency(value: str) -> str:
    """An ISO 4217 code.

    Raises:
        ValueError: It is none.
    """
    if not (re.fullmatch(r"[A-Z]{3}", value) and is_currency(value)):
        raise refuse(f"{value!r} is no currency", "write its ISO code in capitals, such as EUR")
    return value


def parse_date(value: object) -> object:
    """A day, or the text that is none (which is told with the entry, and does not refuse the file)."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if not isinstance(value, str):
        raise refuse(f"{value!s} is no day", "write it like 2026-10-01")
    try:
        return date.fromisoformat(value.strip()) if re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()) else value
    except ValueError:
        return value


def parse_object(value: object) -> ObjectRef:
    """An object by id (digits, negative where derived from a file's names) or by exact name.

    Raises:
        ValueError: It is neither.
    """
    mend = 'write its id, or its exact name in quotes; `{name: "123"}` for a name of digits alone'
    if isinstance(value, dict) and len(value) == 1:
        ((key, inner),) = value.items()
        text = str(inner).strip() if isinstance(inner, str | int) and not isinstance(inner, bool) else ""
        if (key == "name" and text) or (key == "id" and _DIGITS.fullmatch(text)):
            return {str(key): text}
    elif isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value).strip()
        if _DIGITS.fullmatch(text):
            return {"id": text}
        if text:
            return {"name": text}
    raise refuse(f"{value!r} is neither an id nor a name", mend)


def parse_fraction(value: object) -> object:
    """`0.1` and `10 %` as a decimal fraction; a text that is neither stays as it is, and is told with the entry."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refuse(f"{value!r} is no share", "write 10 % or 0.10")
    match = re.fullmatch(r"(-?\d{1,9}(?:\.\d{1,9})?)\s*(%?)", str(value).strip())
    if match is None:
        return str(value)
    return Decimal(match[1]) / (100 if match[2] else 1)


def parse_multiplier(value: object) -> Decimal:
    """A number of YAML as a decimal, digit for digit.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(f"{value!r} is no multiplier", "write a number, such as 1000")
    return Decimal(str(value))


def _study(value: object) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise refuse(f"{value!r} is no ad study", "write the digits of the study's id")
    return int(text)


def _account(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise refuse(f"{value!r} is no account", "write its id (act_...), or its name in this file")
    return str(value).strip()


Currency = Annotated[StrictStr, AfterValidator(parse_currency)]
_Day = Annotated[date | str | None, BeforeValidator(parse_date)]
_Object = Annotated[ObjectRef, BeforeValidator(parse_object)]
_AccountRef = Annotated[str | None, BeforeValidator(_account)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Arm(_Entry):
    """One side of an experiment: objects of one level in one account."""

    name: values.Title
    account: _AccountRef = None
    campaigns: list[_Object] = Field(default_factory=list)
    ad_sets: list[_Object] = Field(default_factory=list)
    ads: list[_Object] = Field(default_factory=list)
    control: StrictBool = False

    @property
    def levels(self) -> dict[str, list[ObjectRef]]:
        """Its objects by level, only levels that have some."""
        found = {"campaign": self.campaigns, "ad_set": self.ad_sets, "ad": self.ads}
        return {level: objects for level, objects in found.items() if objects}


class Experiment(_Entry):
    """A comparison that somebody wants decided: arms and dates, or an ad study of Meta, which has its own."""

    id: values.Slug
    name: values.Title | None = None
    account: _AccountRef = None
    study: Annotated[int | None, BeforeValidator(_study)] = None
    metric: StrictStr = "cpa"
    minimum_effect: Annotated[Decimal | str, BeforeValidator(parse_fraction)] = Decimal("0.1")
    since: _Day = None
    until: _Day = None
    hypothesis: StrictStr | None = None
    arms: list[Arm] | None = None


class CustomMetric(_Entry):
    """A ratio of two measures of the vocabulary, under a name of one's own."""

    name: values.Identifier
    label: values.Title | None = None
    numerator: StrictStr
    denominator: StrictStr
    multiplier: Annotated[Decimal, BeforeValidator(parse_multiplier)] = Decimal(1)
    format: StrictStr = "number"
    lower_is_better: StrictBool = False


def parse_rates(value: Any) -> Any:
    """The path of a file, or rates written out (their rows are checked with the file's, by `exchange_rates`)."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, list):
        return value
    raise refuse(
        f"exchange_rates is {value!r}",
        "write the path of a CSV file, or a list of day, currency, target_currency, rate",
    )


@dataclass
class Declarations:
    """What the file declares beside accounts, as rows.

    Attributes:
        experiments: For `ops.experiment`.
        arms: For `ops.experiment_arm`.
        custom_metrics: For `ops.custom_metric`.
        exchange_rates: For `ops.exchange_rate`.
    """

    experiments: list[Row] = field(default_factory=list)
    arms: list[Row] = field(default_factory=list)
    custom_metrics: list[Row] = field(default_factory=list)
    exchange_rates: list[Rate] = field(default_factory=list)
