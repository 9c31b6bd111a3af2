"""Rules of `clients.yml` that look at more than one value.

What belongs here: duplicates, names that must exist, combinations. They read the plain data and not the models, so
that they speak up in the same run as the models' own findings. What does not: types and single values (`values`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dashboards.checked_yaml import near
from orchestration.clients import breakdowns
from orchestration.clients.plan import DEFAULT_HISTORY_DAYS
from orchestration.clients.problems import Finding, Place, show
from orchestration.clients.report_checks import check_report
from orchestration.clients.values import parse_account_id

Locate = Callable[[Place], int]
_REACH_DAYS = 395
"""Reach with breakdowns and hourly values are kept 13 months, and are left out silently beyond (fact sheet)."""
_ACTION_FIELDS = ("actions", "action_values", "conversions", "conversion_values", "cost_per_action_type")


def check(document: dict[str, Any], line_of: Locate) -> Iterator[Finding]:
    """Yields what is wrong, or odd, across entries.

    Args:
        document: The plain data of the file; anything in it may have the wrong type.
        line_of: The line of a path, to say where the first of two equal entries is.
    """
    clients = list(_entries(document, ("clients",)))
    custom = list(_entries(document, ("custom_reports",)))
    yield from _repeated(((*path, "id"), entry.get("id")) for path, entry in clients)(line_of, "client id")
    accounts = [pair for path, client in clients for pair in _entries(client, ("accounts",), path)]
    yield from _repeated(((*path, "id"), _digits(entry.get("id"))) for path, entry in accounts)(line_of, "account")
    for path, client in clients:
        named = (((*at, "name"), entry.get("name")) for at, entry in _entries(client, ("reports",), path))
        yield from _repeated(named)(line_of, "report")
        for at, entry in _entries(client, ("reports",), path):
            yield from check_report(at, entry, client)
    yield from _repeated(((*path, "name"), entry.get("name")) for path, entry in custom)(line_of, "report")
    names = [entry.get("name") for _, entry in custom]
    known = [*DEFAULT_HISTORY_DAYS, *(name for name in names if isinstance(name, str))]
    for path, owner in [((), document), *accounts]:
        yield from _pull(path, owner, known)
    for path, entry in custom:
        yield from _custom_report(path, entry)


def _entries(owner: Any, keys: Place, at: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    for key in keys:
        owner = owner.get(key) if isinstance(owner, dict) else None
    for position, entry in enumerate(owner if isinstance(owner, list) else []):
        if isinstance(entry, dict):
            yield (*at, *keys, position), entry


def _digits(value: Any) -> str | None:
    try:
        return f"act_{parse_account_id(value)}"
    except ValueError:
        return None  # The model says what is wrong with it.


def _repeated(values: Iterator[tuple[Place, Any]]) -> Callable[[Locate, str], Iterator[Finding]]:
    def find(line_of: Locate, noun: str) -> Iterator[Finding]:
        seen: dict[str, Place] = {}
        for path, value in values:
            if not isinstance(value, str):
                continue
            if value not in seen:
                seen[value] = path
                continue
            first = seen[value]
            what = f"{show(path)}: {noun} {value} is already on line {line_of(first)}"
            other = noun == "account" and first[:2] != path[:2]
            mend = (
                "an account belongs to one client: remove one of the two"
                if other
                else "remove or rename one of the two"
            )
            yield Finding(path, what, mend)

    return find


def _pull(path: Place, owner: dict[str, Any], known: list[str]) -> Iterator[Finding]:
    pull = owner.get("pull")
    reports = pull.get("reports") if isinstance(pull, dict) else None
    for name, days in reports.items() if isinstance(reports, dict) else ():
        at = (*path, "pull", "reports", name)
        if name not in known:
            mend = near(str(name), known) or f"known reports: {', '.join(known)}; or add it to custom_reports"
            yield Finding(at, f"{show(at[:-1])}: unknown report `{name}`", mend, at_key=True)
        elif isinstance(days, int) and days > _REACH_DAYS and (name == "ad_hourly" or "__" in name):
            yield Finding(at, f"{show(at)}: {_TOO_OLD}", fatal=False)


_TOO_OLD = "Meta keeps hourly values and reach by breakdown for 13 months; older days come without them"


def _custom_report(path: Place, entry: dict[str, Any]) -> Iterator[Finding]:
    name, days = entry.get("name"), entry.get("history_days")
    if name in DEFAULT_HISTORY_DAYS:
        at = (*path, "name")
        yield Finding(at, f"{show(at)}: {name} is a report that ships", "choose another name, or use pull.reports")
    asked = _texts(entry.get("breakdowns"))
    at = (*path, "breakdowns")
    for position, breakdown in enumerate(asked):
        if breakdown in breakdowns.RETIRED:
            new = breakdowns.RETIRED[breakdown]
            yield Finding((*at, position), f"{show(at)}: Meta stopped {breakdown}", f"write {new} instead")
        if breakdown in asked[:position]:
            yield Finding((*at, position), f"{show(at)}: {breakdown} is listed twice", "remove one of the two")
    current = [breakdowns.RETIRED.get(breakdown, breakdown) for breakdown in asked]
    if not breakdowns.is_documented(current):
        yield Finding(
            at, f"{show(at)}: {', '.join(asked)} is no combination of Meta's table; it is asked as it is", fatal=False
        )  # fmt: skip
    for breakdown in breakdowns.needs_opt_in(asked):
        yield Finding(
            at,
            f"{show(at)}: {breakdown} stays empty, without an error, until the account's administrator"
            " opts in in Ads Manager",
            fatal=False,
        )
    if asked and isinstance(days, int) and days > _REACH_DAYS:
        yield Finding((*path, "history_days"), f"{show((*path, 'history_days'))}: {_TOO_OLD}", fatal=False)
    if entry.get("action_breakdowns") and not set(_ACTION_FIELDS) & set(_texts(entry.get("fields"))):
        at = (*path, "action_breakdowns")
        yield Finding(at, f"{show(at)}: nothing to break down among the fields", "add `actions` to fields")


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
