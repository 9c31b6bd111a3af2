"""A pull: accounts, objects and insights from Meta into the raw tables.

The order of things belongs here, with what happens when a part fails: a report, an account, the token, the database.
How a report is had is in `ingestion`, how a slice is written in `warehouse`. Free of Dagster, which calls it like the
command line does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from ingestion.errors import AccountUnavailable, CredentialError, IngestionError, ObjectNotFound, VersionRetired
from ingestion.graph import GraphClient
from ingestion.insights import InsightsPull
from ingestion.slices import Slice, SpoolLimit
from orchestration import discovery, entity_pull
from orchestration.clients import PlannedReport
from orchestration.discovery import KnownAccount
from orchestration.due import DayRange, due_days, ranges
from orchestration.errors import UserError
from orchestration.platform import Platform
from orchestration.progress import Task
from warehouse.errors import SliceRejected
from warehouse.loader import SliceResult, replace_slice
from warehouse.ops import ReportJobStore
from warehouse.ops.runs import Run, RunStatus, running
from warehouse.ops.slices import pulled_at, rows_per_day, written_by
from warehouse.provenance import Provenance

log = logging.getLogger(__name__)

REPORTS_AT_ONCE = 3  # per account; Meta works on them while we wait
DayPlan = dict[str, list[DayRange]]  # report -> ranges


class PullFailed(UserError):
    """Nothing more can be pulled: the token or the database is at fault."""

    exit_code = 1


@dataclass(frozen=True)
class PullRequest:
    """What to pull; everything left out means everything that is due.

    Attributes:
        accounts: Digits.
        reports: Names.
        since: First day, the accounts' own; with it, every day of the range is pulled again.
        until: Last day, included.
        again: Also days that were pulled within the last minutes.
        entities: Whether campaigns, ad sets, ads and so on are pulled, too.
    """

    accounts: tuple[int, ...] = ()
    reports: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    again: bool = False
    entities: bool = True

    def as_arguments(self) -> dict[str, Any]:
        """As plain data, to recognise an interrupted pull of the same request."""
        return {
            "accounts": sorted(self.accounts),
            "reports": sorted(self.reports),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "entities": self.entities,
        }


@dataclass
class AccountOutcome:
    """What became of one account.

    Attributes:
        account: Which.
        slices: Slices written or confirmed.
        unchanged: Of these, how many held the same rows before.
        rows: Rows in them.
        problems: What failed, in words, with the mend.
    """

    account: KnownAccount
    slices: int = 0
    unchanged: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, result: SliceResult) -> None:
        """Counts a written slice."""
        with self.lock:
            self.slices += 1
            self.unchanged += result.unchanged
            self.rows += result.row_count

    def failed(self, problem: str) -> None:
        """Notes a failure and goes on."""
        log.error("%s", problem)
        with self.lock:
            self.problems.append(problem)


@dataclass(frozen=True)
class PullSummary:
    """What a pull did.

    Attributes:
        run_id: In `ops.run`.
        outcomes: One for each account.
        calls: Calls to Meta.
        resumed: Whether an interrupted pull was continued.
    """

    run_id: UUID
    outcomes: tuple[AccountOutcome, ...]
    calls: int
    resumed: bool

    @property
    def status(self) -> RunStatus:
        """`succeeded`, `partial` or `failed`."""
        bad = sum(bool(outcome.problems) for outcome in self.outcomes)
        if not bad:
            return "succeeded"
        return "partial" if any(outcome.slices for outcome in self.outcomes) else "failed"


def run_pull(platform: Platform, request: PullRequest) -> PullSummary:
    """Pulls what is due, accounts in parallel, and records the run.

    An interrupted pull of the same request is continued: its report runs at Meta are read, not asked for again.

    Raises:
        PullFailed: The token or the API version is refused for all.
        UserError: The request names an unknown account or report.
        WarehouseError: The database failed; what was committed stays.
    """
    client = platform.graph_client()
    try:
        with running(platform.warehouse, "pull", request.as_arguments(), client.api_version) as run:
            try:
                accounts = discovery.known_accounts(platform, client, run.run_id, request.accounts)
                plan = _plan(platform, run, accounts, request)
                outcomes = _Pull(platform, client, run.run_id, request, resumed=run.resumed).run(accounts, plan)
            except (CredentialError, VersionRetired) as refused:
                raise PullFailed(str(refused).removesuffix(refused.mend).strip(), refused.mend) from refused
            summary = PullSummary(run.run_id, tuple(outcomes), client.calls, run.resumed)
            problems = "; ".join(problem for outcome in outcomes for problem in outcome.problems)
            run.finish(summary.status, problems or None)
            return summary
    finally:
        client.close()


def _plan(platform: Platform, run: Run, accounts: Sequence[KnownAccount], request: PullRequest) -> dict[int, DayPlan]:
    """Ranges for each account and report; a continued run keeps those that it began with, so that its jobs fit."""
    if run.resumed and run.state.get("plan"):
        return {
            int(account_id): {
                report: [(date.fromisoformat(a), date.fromisoformat(b)) for a, b in found]
                for report, found in reports.items()
            }
            for account_id, reports in run.state["plan"].items()
        }
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    plan = {account.account_id: _account_plan(platform, account, request, now) for account in accounts}
    run.remember(
        plan={
            str(account_id): {name: [(a.isoformat(), b.isoformat()) for a, b in found] for name, found in days.items()}
            for account_id, days in plan.items()
        }
    )
    return plan


def _account_plan(platform: Platform, account: KnownAccount, request: PullRequest, now: datetime) -> DayPlan:
    planned = platform.clients.plan_for(account.account_id)
    by_name = {item.report: item for item in planned}
    wanted = request.reports or tuple(by_name)
    plan: DayPlan = {}
    for name in wanted:
        report = platform.report(name)  # refuses unknown names before anything is asked of Meta
        item = by_name.get(name) or PlannedReport(name, report.history_days)
        if request.since is not None:
            until = request.until or due_days(item, {}, now, account.time_zone)[-1]
            plan[name] = [(request.since, until)]
            continue
        held = pulled_at(platform.warehouse, account.account_id, name)
        days = due_days(item, held, now, account.time_zone, again=request.again)
        plan[name] = ranges(day for day in days if request.until is None or day <= request.until)
    return plan


class _Pull:
    """The work of one run."""

    def __init__(
        self, platform: Platform, client: GraphClient, run_id: UUID, request: PullRequest, *, resumed: bool
    ) -> None:
        self._platform = platform
        self._client = client
        self._run_id = run_id
        self._request = request
        self._resumed = resumed
        self._limit = SpoolLimit()
        self._stopped = threading.Event()

    def run(self, accounts: Sequence[KnownAccount], plan: Mapping[int, DayPlan]) -> list[AccountOutcome]:
        days = sum((b - a).days + 1 for reports in plan.values() for found in reports.values() for a, b in found)
        outcomes: list[AccountOutcome] = []
        workers = self._platform.settings.meta_max_accounts_at_once
        with (
            self._platform.display.task("Pulling from Meta", days) as task,
            ThreadPoolExecutor(workers, thread_name_prefix="account") as pool,
        ):
            futures = [
                pool.submit(self._account, account, plan.get(account.account_id, {}), task) for account in accounts
            ]
            try:
                outcomes.extend(future.result() for future in as_completed(futures))
            except BaseException:
                # Reason: a refused token or a lost database concerns every account; waiting ones must not start.
                self._stop(pool)
                raise
        return sorted(outcomes, key=lambda outcome: outcome.account.account_id)

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        self._stopped.set()
        stop = getattr(self._platform.clock, "stop", None)
        if stop:
            stop()
        pool.shutdown(wait=False, cancel_futures=True)

    def _account(self, account: KnownAccount, plan: DayPlan, task: Task) -> AccountOutcome:
        outcome = AccountOutcome(account)
        if account.problem:
            outcome.failed(account.problem)
            return outcome
        if self._request.entities:
            self._guarded(
                outcome,
                "objects",
                lambda: entity_pull.pull_entities(self._platform, self._client, self._run_id, account),
            )
        if not outcome.problems:
            self._reports(account, plan, outcome, task)
        if self._request.entities and outcome.slices:
            self._guarded(
                outcome,
                "missing objects",
                lambda: entity_pull.fill_gaps(self._platform, self._client, self._run_id, account),
            )
        return outcome

    def _reports(self, account: KnownAccount, plan: DayPlan, outcome: AccountOutcome, task: Task) -> None:
        with ThreadPoolExecutor(REPORTS_AT_ONCE, thread_name_prefix=f"act_{account.account_id}") as pool:
            futures = [
                pool.submit(
                    self._guarded, outcome, name, lambda n=name, f=found: self._report(account, n, f, outcome, task)
                )
                for name, found in plan.items()
                if found
            ]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self._stop(pool)
                raise

    def _guarded(self, outcome: AccountOutcome, what: str, work: Any) -> None:
        """Does a part; its failure is noted and the other parts go on, unless it concerns everything."""
        if self._stopped.is_set():
            return
        try:
            work()
        except (CredentialError, VersionRetired):
            raise
        except (AccountUnavailable, ObjectNotFound) as refused:
            outcome.failed(f"{outcome.account.label}, {what}: {refused}")
        except (IngestionError, SliceRejected) as problem:
            outcome.failed(f"{outcome.account.label}, {what}: {problem}")
        except InterruptedError:
            if not self._stopped.is_set():
                raise

    def _report(
        self, account: KnownAccount, name: str, found: Sequence[DayRange], outcome: AccountOutcome, task: Task
    ) -> None:
        warehouse = self._platform.warehouse
        report = self._platform.report(name)
        table = self._platform.table(report)
        pull = InsightsPull(
            self._client,
            ReportJobStore(warehouse),
            self._run_id,
            str(account.account_id),
            self._platform.options,
            self._limit,
            rows_per_day(warehouse, account.account_id),
        )
        done = written_by(warehouse, self._run_id, account.account_id, name) if self._resumed else []
        for since, until in reversed(found):  # newest first: what people look at arrives first
            for piece in pull.slices(report, since, until, done):
                outcome.add(
                    replace_slice(warehouse, table, account.account_id, piece.day, piece.rows, self._provenance(piece))
                )
                task.advance(1, f"{account.label} {name} {piece.day}")

    def _provenance(self, piece: Slice) -> Provenance:
        return Provenance(self._run_id, "api", piece.api_version, piece.windows, piece.pulled_at)


def raise_if_nothing_came(summary: PullSummary) -> None:
    """For callers that need data.

    Raises:
        PullFailed: Not one slice of any account was written, although some were due.
    """
    if summary.status == "failed":
        problems = [problem for outcome in summary.outcomes for problem in outcome.problems]
        raise PullFailed("Nothing could be pulled:\n" + "\n".join(f"  - {p}" for p in problems[:10]))
