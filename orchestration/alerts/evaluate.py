"""One look at everything: takes in what is wrong now, and has it told.

What belongs here: the order, and what is remembered between two looks. What does not: Dagster
(`orchestration.defs.alerts`), each single judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orchestration.alerts import causes, facts, failures
from orchestration.alerts.channels import Channel, owner_channels
from orchestration.alerts.dispatch import Sent, WarehouseAlerts, dispatch
from orchestration.alerts.memory import MemoryAlerts
from orchestration.alerts.model import AFTERMATH, CALM, FORGET_FAILURES, Account, Cause, Kind
from orchestration.alerts.render import Context
from orchestration.alerts.reports import report_owners, unsent_reports
from orchestration.errors import UserError
from orchestration.platform import Platform
from orchestration.redaction import redactor
from warehouse.errors import WarehouseError
from warehouse.ops import alerts as store
from warehouse.ops import held_days

#: How often Meta is asked for the token's end; sooner while something is wrong with it.
ASK_TOKEN, ASK_BAD_TOKEN = timedelta(minutes=30), timedelta(minutes=5)
_OF_TOKEN = (Kind.TOKEN_REFUSED, Kind.TOKEN_EXPIRES)
_OF_DATA = (Kind.ACCOUNT_STALE, Kind.TODAY_STALE, Kind.CHECKS_FAILED, Kind.API_USAGE, Kind.REPORT_NOT_SENT)
_OF_RUNS = (Kind.RUN_FAILED, Kind.VERSION_RETIRED)


@dataclass(frozen=True)
class Watch:
    """What ought to be fresh.

    Attributes:
        accounts: Those that are pulled by themselves; None for all.
        is_today_pulled: Whether something pulls the current day by itself.
    """

    accounts: Set[int] | None = None
    is_today_pulled: bool = False


@dataclass
class Memory:
    """What is remembered between two looks, beside the warehouse.

    Attributes:
        own: Causes that the warehouse cannot hold.
        token_asked_at: When Meta was last asked for the token's end.
        is_token_bad: Whether something was wrong with it.
    """

    own: MemoryAlerts = field(default_factory=MemoryAlerts)
    token_asked_at: datetime | None = None
    is_token_bad: bool = False


@dataclass(frozen=True)
class Looked:
    """What a look did.

    Attributes:
        sent: Of the causes in the warehouse, and of those that it cannot hold.
        took_runs: Whether the runs were taken in; otherwise they are to be given again.
    """

    sent: tuple[Sent, ...]
    took_runs: bool


def evaluate(
    opening: Callable[[], AbstractContextManager[Platform]],
    channels: Sequence[Channel],
    runs: Sequence[failures.EndedRun],
    watch: Watch,
    memory: Memory,
    quiet: timedelta,
    *,
    web_url: str | None = None,
    now: Callable[[Platform | None], datetime] | None = None,
) -> Looked:
    """Looks once.

    Args:
        opening: Opens the platform.
        channels: Where messages go.
        runs: That ended since the last look, oldest first.
        watch: What ought to be fresh.
        memory: From the last look; changed in place.
        quiet: After a message about a cause, how long nothing more is said about it.
        web_url: Where people open Dagster.
        now: The time, given the platform if it could be opened; its clock's by default.
    """
    tell = now or _clock
    sent: list[Sent] = []
    accounts: dict[int, Account] = {}
    took_runs = False
    trouble: list[Cause] = []
    moment = tell(None)
    try:
        with opening() as platform:
            moment = tell(platform)
            store.record(platform.warehouse, failures.happened(runs), moment, reopen_after=moment - CALM)
            took_runs = True
            _look_at_token(platform, runs, memory, moment)
            accounts = _look_at_data(platform, watch, moment)
            store.expire(platform.warehouse, _OF_RUNS, moment - FORGET_FAILURES, moment)
            # Reason: now that the warehouse answered, it no longer is the trouble, but what followed from it is.
            memory.own.observe([], moment)
            roots = memory.own.board(moment - AFTERMATH)
            kept = WarehouseAlerts(platform.warehouse)
            context = Context(accounts, web_url)
            told = [*channels, *owner_channels(platform.settings, report_owners(platform.clients))]
            sent.append(dispatch(kept, told, context, moment, quiet, roots=roots))
    except UserError as problem:
        trouble.append(
            _cause(Kind.SETTINGS_WRONG, "The settings are wrong, so nothing runs", problem.message, problem.mend)
        )
    except WarehouseError as problem:
        text, mend = failures.message_and_mend(str(problem).replace("To mend:", "Mend:"))
        mend = mend or "start the database server, and check WAREHOUSE_URL; `meta-ads doctor` says more"
        trouble.append(_cause(Kind.WAREHOUSE_FAILED, "The warehouse does not answer", text, mend))
    memory.own.observe(trouble, moment)
    sent.append(dispatch(memory.own, channels, Context(accounts, web_url), moment, quiet))
    return Looked(tuple(sent), took_runs)


def _look_at_token(platform: Platform, runs: Sequence[failures.EndedRun], memory: Memory, now: datetime) -> None:
    """Asks for the token now and then, and at once where a run was refused."""
    was_refused = any(run.error_kind == "CredentialError" for run in runs)
    every = ASK_BAD_TOKEN if memory.is_token_bad else ASK_TOKEN
    if not was_refused and memory.token_asked_at is not None and now < memory.token_asked_at + every:
        return
    memory.token_asked_at = now
    memory.is_token_bad = memory.is_token_bad or was_refused
    token = facts.ask_token(platform)
    if token is None:
        return
    found = list(causes.token_causes(token, now))
    # Reason: what runs have just met weighs more than what Meta says of the token; the next look may resolve it.
    kinds = [kind for kind in _OF_TOKEN if not (was_refused and kind == Kind.TOKEN_REFUSED)]
    memory.is_token_bad = bool(found) or was_refused
    store.observe(platform.warehouse, kinds, found, now, reopen_after=now - CALM)


def _look_at_data(platform: Platform, watch: Watch, now: datetime) -> dict[int, Account]:
    """Freshness, checks and limits; returns how accounts are called."""
    known, accounts = facts.known_accounts(platform)
    pulls = facts.account_pulls(platform, known, watch.accounts, now, is_today_pulled=watch.is_today_pulled)
    found = [
        *causes.stale_accounts(pulls, now),
        *causes.stale_today(pulls, now),
        *causes.failed_checks(held_days(platform.warehouse), facts.failed_checks(platform), accounts),
        *causes.usage_causes(facts.meters(platform, now), accounts, now),
        *unsent_reports(
            facts.report_deliveries(platform, now), platform.clients, now, can_mail=facts.can_mail(platform)
        ),
    ]
    store.observe(platform.warehouse, _OF_DATA, found, now, reopen_after=now - CALM)
    return accounts


def _cause(kind: Kind, title: str, detail: str, mend: str) -> Cause:
    return Cause(str(kind), kind, "error", title, redactor.redact(detail), redactor.redact(mend))


def _clock(platform: Platform | None) -> datetime:
    return datetime.fromtimestamp(platform.clock.now(), UTC) if platform else datetime.now(UTC)
