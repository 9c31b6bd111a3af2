"""Whether declared experiments make sense, and their rows for the warehouse.

What belongs here: what can be told from `clients.yml` alone. What does not: what only data can tell (objects that do
not exist, arms in different currencies, days without data); the marts say that.

An experiment with a problem keeps its row, without arms: the marts list it as invalid, with the problem's words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from dashboards.checked_yaml import near
from orchestration.clients.declared import Arm, Experiment
from orchestration.clients.models import Account, Client, ClientsFile
from orchestration.clients.problems import Finding, Place
from orchestration.clients.values import parse_account_id
from orchestration.clients.vocabulary import EXPERIMENT_METRICS
from orchestration.names import slug

_DEFAULT_EFFECT = Decimal("0.1")
_HUNDRED = 100
_Seen = dict[tuple[int, str, str, str], tuple[int, int]]
"""Account, level, `id` or `name` and its text: the arm and the place in it where an object stood first."""
_KEYS = {"campaign": "campaigns", "ad_set": "ad_sets", "ad": "ads"}


@dataclass(frozen=True)
class Owner:
    """Where an entry stands.

    Attributes:
        client: Whose it is.
        clients: All of the file, to tell another client's account from an unknown one.
        today: No account's day is later.
    """

    client: Client
    clients: ClientsFile
    today: date


def check_experiments(
    owner: Owner, path: Place, lines: Mapping[int, int]
) -> Iterator[tuple[int, Experiment, list[Finding]]]:
    """Every experiment of a client once, with its position and what is wrong with it.

    Args:
        owner: The client.
        path: Of the client's entry in the file.
        lines: The line of each experiment by position, to name the other one of two with the same id.
    """
    places: dict[str, list[int]] = {}
    for position, experiment in enumerate(owner.client.experiments):
        places.setdefault(experiment.id, []).append(position)
    for first, *others in places.values():
        experiment = owner.client.experiments[first]
        listed = " and ".join(str(lines[position]) for position in (first, *others))
        what = f"the id is declared on lines {listed}, so none of them is evaluated"
        found = [
            _finding((*path, "experiments", other, "id"), experiment, what, "rename all but one, or remove them")
            for other in others
        ]
        yield first, experiment, [*found, *_check(owner, experiment, (*path, "experiments", first))]


def experiment_row(owner: Owner, experiment: Experiment, place: str, problem: str | None) -> dict[str, Any]:
    """The row of `ops.experiment`; what cannot be read has its default, so that columns keep their types."""
    since, until = (day if isinstance(day, date) else None for day in (experiment.since, experiment.until))
    effect = experiment.minimum_effect
    return {
        "account_id": _control_account(owner, experiment),
        "experiment_id": experiment.id,
        "client_id": owner.client.id,
        "name": experiment.name or experiment.id,
        "study_id": experiment.study,
        "metric": experiment.metric if experiment.metric in EXPERIMENT_METRICS else "cpa",
        "minimum_effect": effect if isinstance(effect, Decimal) and 0 < effect < 1 else _DEFAULT_EFFECT,
        "since": since,
        "until": until,
        "hypothesis": experiment.hypothesis,
        "place": place,
        "problem": problem,
    }


def arm_rows(owner: Owner, experiment: Experiment) -> list[dict[str, Any]]:
    """The rows of `ops.experiment_arm`, for an experiment without a problem."""
    arms = experiment.arms or []
    control = _control(arms)
    rows: list[dict[str, Any]] = []
    for position, arm in enumerate(arms):
        arm_id = slug(arm.name) or f"arm-{position + 1}"
        if any(row["arm_id"] == arm_id for row in rows):
            arm_id = f"{arm_id}-{position + 1}"
        account = _resolve(owner, arm.account or experiment.account)
        ((level, objects),) = arm.levels.items()
        assert isinstance(account, Account)
        rows.append(
            {
                "account_id": _control_account(owner, experiment),
                "experiment_id": experiment.id,
                "arm_id": arm_id,
                "position": position + 1,
                "name": arm.name,
                "is_control": position == control,
                "arm_account_id": account.id,
                "level": level,
                "objects": objects,
            }
        )
    return rows


def _check(owner: Owner, experiment: Experiment, at: Place) -> Iterator[Finding]:
    def say(key: str, what: str, mend: str) -> Finding:
        return _finding((*at, key), experiment, what, mend)

    if experiment.metric not in EXPERIMENT_METRICS:
        listed = f"write one of {', '.join(EXPERIMENT_METRICS)}"
        yield say(
            "metric",
            f"`{experiment.metric}` is no metric of experiments",
            near(experiment.metric, EXPERIMENT_METRICS) or listed,
        )
    yield from _effect(experiment, (*at, "minimum_effect"))
    account = None
    if experiment.account is not None or experiment.study is not None:
        account = _resolve(owner, experiment.account)
        if isinstance(account, tuple):
            yield say("account", *account)
    if experiment.study is not None and experiment.arms is not None:
        yield say("arms", "has both `study` and `arms`", "remove one: an ad study has its arms at Meta")
    elif experiment.study is not None:
        dates = [key for key in ("since", "until") if getattr(experiment, key) is not None]
        if dates:
            yield say(dates[0], f"has both `study` and `{dates[0]}`", "remove it: an ad study has its dates at Meta")
    else:
        yield from _dates(owner, experiment, at)
        yield from _arms(owner, experiment, at, is_account_told=isinstance(account, tuple))


def _effect(experiment: Experiment, at: Place) -> Iterator[Finding]:
    effect = experiment.minimum_effect
    if not isinstance(effect, Decimal):
        yield _finding(at, experiment, f"minimum_effect {effect!r} is no share", "write 10 % or 0.10")
    elif effect <= 0:
        yield _finding(
            at,
            experiment,
            "minimum_effect must be above 0",
            "write the smallest relative difference worth knowing, such as 10 %",
        )
    elif effect >= 1:
        meant = f"did you mean {effect.normalize():f} %?" if 1 < effect < _HUNDRED else "write 10 % or 0.10"
        yield _finding(at, experiment, f"minimum_effect is {effect * 100:.0f} %, and must be under 100 %", meant)


def _dates(owner: Owner, experiment: Experiment, at: Place) -> Iterator[Finding]:
    unread = False
    for key in ("since", "until"):
        day = getattr(experiment, key)
        if isinstance(day, str):
            unread = True
            yield _finding((*at, key), experiment, f"{key} {day!r} is no day", "write it like 2026-10-01")
    since, until = experiment.since, experiment.until
    if since is None:
        yield _finding(at, experiment, "has no `since`", "add the first day, such as `since: 2026-10-01`")
    if unread or not isinstance(since, date):
        return
    if isinstance(until, date) and until < since:
        yield _finding((*at, "until"), experiment, f"ends on {until}, before it begins on {since}", "swap the two days")
    elif since > owner.today:
        yield _finding(
            (*at, "since"), experiment, f"begins on {since}, which lies in the future",
            "correct the year, or wait: it is evaluated from that day on",
        )  # fmt: skip


def _arms(owner: Owner, experiment: Experiment, at: Place, *, is_account_told: bool) -> Iterator[Finding]:
    arms = experiment.arms
    if arms is None:
        yield _finding(at, experiment, "has neither `arms` nor `study`", "list two arms at least, or name an ad study")
        return
    path = (*at, "arms")
    if len(arms) < 2:
        count = "one arm" if arms else "no arm"
        yield _finding(path, experiment, f"has {count}", "list two at least: what is compared, and with what")
    controls = [position for position, arm in enumerate(arms) if arm.control]
    if len(controls) > 1:
        yield _finding(
            (*path, controls[1], "control"), experiment,
            f"has {len(controls)} controls: {_names(arms[position] for position in controls)}",
            "leave `control: true` on one arm; without any, the first arm is it",
        )  # fmt: skip
    names: set[str] = set()
    seen: _Seen = {}
    for position, arm in enumerate(arms):
        place = (*path, position)
        if arm.name in names:
            yield _finding((*place, "name"), experiment, f"has two arms named {arm.name!r}", "rename one of the two")
        names.add(arm.name)
        if len(arm.levels) != 1:
            what = f"arm {arm.name!r} {_mixed(arm)}"
            yield _finding(place, experiment, what, "list campaigns, or ad_sets, or ads: one level for each arm")
        account = _resolve(owner, arm.account or experiment.account)
        if isinstance(account, tuple):
            # Reason: a wrong account of the experiment is one mistake, not one for every arm.
            if arm.account is not None or not is_account_told:
                what, mend = account
                yield _finding((*place, "account"), experiment, f"arm {arm.name!r}: {what}", mend)
                is_account_told = is_account_told or arm.account is None
            continue
        yield from _overlaps(experiment, position, account.id, place, seen)


def _overlaps(experiment: Experiment, position: int, account_id: int, place: Place, seen: _Seen) -> Iterator[Finding]:
    arms = experiment.arms or []
    name = arms[position].name
    for level, objects in arms[position].levels.items():
        for number, found in enumerate(objects):
            ((kind, value),) = found.items()
            # Reason: the same name in another encoding is the same object.
            key = (account_id, level, kind, unicodedata.normalize("NFC", value))
            other = seen.setdefault(key, (position, number))
            label, at = f"{level.replace('_', ' ')} {value}", (*place, _KEYS[level], number)
            if other[0] != position:
                what = f"arms overlap: {label} is in {arms[other[0]].name!r} and in {name!r}"
                yield _finding(at, experiment, what, "leave it in one of the two")
            elif other != (position, number):
                yield _finding(at, experiment, f"{label} is listed twice in arm {name!r}", "remove one of the two")


def _finding(path: Place, experiment: Experiment, what: str, mend: str) -> Finding:
    return Finding(path, f"experiment {experiment.id}: {what}", mend, fatal=False)


def _mixed(arm: Arm) -> str:
    return f"mixes {' and '.join(_KEYS[level] for level in arm.levels)}" if arm.levels else "lists no objects"


def _names(arms: Iterator[Arm]) -> str:
    return " and ".join(repr(arm.name) for arm in arms)


def _control(arms: Sequence[Arm]) -> int:
    return next((position for position, arm in enumerate(arms) if arm.control), 0)


def _control_account(owner: Owner, experiment: Experiment) -> int:
    """The account that leads the experiment's key; the client's first where the declaration does not tell."""
    arms = experiment.arms or []
    named = arms[_control(arms)].account if arms and experiment.study is None else None
    for reference in (named or experiment.account, experiment.account, None):
        account = _resolve(owner, reference)
        if isinstance(account, Account):
            return account.id
    return owner.client.accounts[0].id


def _resolve(owner: Owner, reference: str | None) -> Account | tuple[str, str]:
    """The client's account by id or name, or what is wrong and the mend."""
    accounts = owner.client.accounts
    known = [account.name or account.graph_id for account in accounts]
    listing = f"write one of {', '.join(known)}"
    if reference is None:
        if len(accounts) == 1:
            return accounts[0]
        return f"client {owner.client.id} has {len(accounts)} accounts, and `account` does not say which", listing
    named = [account for account in accounts if account.name == reference]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        return f"client {owner.client.id} has {len(named)} accounts named {reference!r}", "write the account's id"
    try:
        number = parse_account_id(reference)
    except ValueError:
        return f"client {owner.client.id} has no account {reference!r}", near(reference, known) or listing
    by_id = next((account for account in accounts if account.id == number), None)
    if by_id is not None:
        return by_id
    other = owner.clients.find(number)
    if other is not None:
        return f"account act_{number} belongs to client {other[0].id}, not to {owner.client.id}", listing
    return f"client {owner.client.id} has no account act_{number}", listing
