"""Single values of `clients.yml`: account ids, windows, addresses, time zones, action types.

What belongs here: types that check one value alone and say how to mend it. What does not: rules across entries.
"""

from __future__ import annotations

import difflib
import re
from decimal import Decimal
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr

from dashboards.checked_yaml import near, refuse
from orchestration.clients.cron import check_cron

WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")
RETIRED_WINDOWS = ("7d_view", "28d_view")
PERIODS = ("yesterday", "last_7_days", "last_28_days", "last_week", "last_month")

_BIGINT = 2**63 - 1
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


def parse_account_id(value: object) -> int:
    """Digits of an ad account, from `act_123`, `"123"` or a YAML integer.

    Raises:
        PydanticCustomError: When it is none of them.
    """
    mend = 'write "act_" and the digits from Ads Manager, such as act_1010035716096012'
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise refuse(f"{value!r} is no ad account id", f"{mend} (YAML read a {_kind(value)})")
    text = str(value).strip().removeprefix("act_")
    if not (text.isascii() and text.isdigit()):
        raise refuse(f"{value!r} is no ad account id", mend)
    if text.startswith("0") or int(text) > _BIGINT:
        raise refuse(f"{value!r} cannot be an ad account id", mend)
    return int(text)


def _kind(value: object) -> str:
    known: dict[type, str] = {
        bool: "yes or no",
        float: "number with a fraction",
        type(None): "nothing",
        dict: "mapping",
        list: "list",
    }
    return next((text for kind, text in known.items() if isinstance(value, kind)), type(value).__name__)


class DerivedId(int):
    """The negative id of an account that only files know; nobody writes it, it is made from the account's name."""


def _account_id(value: object) -> int:
    return int(value) if isinstance(value, DerivedId) else parse_account_id(value)


def _window(value: str) -> str:
    if value in RETIRED_WINDOWS:
        reason = "Meta has returned nothing for it since 2026-01-12"
        raise refuse(f"{value} is retired: {reason}", f"write one of {', '.join(WINDOWS)}")
    if value not in WINDOWS:
        raise refuse(
            f"{value!r} is no attribution window", near(value, WINDOWS) or f"write one of {', '.join(WINDOWS)}"
        )
    return value


def _window_or_default(value: str) -> str:
    return value if value == "default" else _window(value)


def _address(value: str) -> str:
    local = value.partition("@")[0]
    if not _ADDRESS.fullmatch(value) or ".." in value or local.startswith(".") or local.endswith("."):
        raise refuse(f"{value!r} is no e-mail address", "write name@example.com, one address an entry")
    return value


def _schedule(value: str) -> str:
    try:
        return check_cron(value)
    except ValueError as error:
        raise refuse(
            f"schedule {value!r} {error}", 'write minute, hour, day, month and weekday, such as "0 7 * * mon"'
        ) from None


def _time_zone(value: str) -> str:
    # Reason: ZoneInfo() opens files by name, and on some disks accepts a spelling that others refuse.
    zones = available_timezones()
    if value in zones:
        return value
    by_lower = {zone.lower(): zone for zone in zones} | {zone.rpartition("/")[2].lower(): zone for zone in zones}
    wanted = value.strip().lower().replace(" ", "_")
    found = by_lower.get(wanted) or next(
        (by_lower[name] for name in difflib.get_close_matches(wanted, by_lower, n=1, cutoff=0.7)), None
    )
    hint = f"did you mean {found}?" if found else "write an IANA name, such as Europe/Berlin"
    raise refuse(f"{value!r} is no time zone", hint)


def _period(value: str) -> str:
    if value not in PERIODS:
        raise refuse(f"{value!r} is no period", near(value, PERIODS) or f"write one of {', '.join(PERIODS)}")
    return value


def _pattern(pattern: str, what: str, mend: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refuse(f"{value!r} is no {what}", mend)
        return value

    return AfterValidator(check)


def _account_name(value: object) -> object:
    # Reason: an id without quotes is a number in YAML.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


AccountId = Annotated[int, BeforeValidator(_account_id)]
Slug = Annotated[
    StrictStr,
    _pattern(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", "id", "use up to 40 of a-z, 0-9 and -, such as acme-eu"),
]
Identifier = Annotated[
    StrictStr,
    _pattern(r"[a-z][a-z0-9_]{0,39}", "name for a table", "use up to 40 of a-z, 0-9 and _, starting with a letter"),
]
FieldName = Annotated[
    StrictStr,
    _pattern(r"[a-z][a-z0-9_]{0,62}", "field of Meta's API", "use Meta's own spelling, such as inline_link_clicks"),
]
ActionType = Annotated[
    StrictStr, _pattern(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*", "action type", "use Meta's own spelling, such as omni_purchase")
]
Title = Annotated[StrictStr, _pattern(r"\S(?:.{0,118}\S)?", "name", "write 1 to 120 characters on one line")]
AccountName = Annotated[StrictStr, BeforeValidator(_account_name)]
Key = Annotated[
    StrictStr, _pattern(r"[a-z][a-z0-9_]*", "key of a dashboard, tab or card", "see docs/reference/dashboards.md")
]
Words = Annotated[
    StrictStr, _pattern(r"(?s)\s*\S.{0,3999}", "text of a report", "write 1 to 4000 characters, or remove it")
]
Window = Annotated[StrictStr, AfterValidator(_window)]
WindowOrDefault = Annotated[StrictStr, AfterValidator(_window_or_default)]
Address = Annotated[StrictStr, AfterValidator(_address)]
Schedule = Annotated[StrictStr, AfterValidator(_schedule)]
TimeZone = Annotated[StrictStr, AfterValidator(_time_zone)]
Period = Annotated[StrictStr, AfterValidator(_period)]
Days = Annotated[StrictInt, Field(ge=1, le=1126)]  # Source: fact sheet, retention: Meta keeps 37 months.
DaysOrNone = Annotated[StrictInt, Field(ge=0, le=1126)]
PositiveDecimal = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
