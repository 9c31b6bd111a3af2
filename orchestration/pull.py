"""A pull: accounts, objects and insights from Meta into the raw tables.

The order of things belongs here, with what happens when a part fails: a report, an account, the token, the database.
How a report is had is in `ingestion`, how a slice is written in `warehouse`. Free of Dagster, which calls it like the
command line does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from ingestion.entities import KINDS
from ingestion.errors import CredentialError, IngestionError, VersionRetired
from ingestion.graph import GraphClient
from ingestion.insights import InsightsPull
from ingestion.reports import OPT_IN_BREAKDOWNS
from ingestion.slices import Slice, SpoolLimit
from orchestration import discovery, entity_pull
from orchestration.discovery import KnownAccount
from orchestration.due import DayRange, ranges
from orchestration.logs import in_context, log_context
from orchestration.platform import Platform
from orchestration.progress import Task
from orchestration.pull_model import AccountOutcome, PullFailed, PullRequest, PullSummary
from orchestration.pull_plan import DayPlan, make_plan
from orchestration.slice_writer import SliceWriter
from orchestration.tally import Tally
from orchestration.today import current_days
from warehouse.errors import RowRejected, SliceRejected
from warehouse.loader import SliceResult
from warehouse.ops import ReportJobStore
from warehouse.ops.reconcile import unreconciled_days
from warehouse.ops.runs import running
from warehouse.ops.slices import HOURS, pulled_at, rows_per_day, written_by
from warehouse.ops.today import account_activity, current_day_lock
from warehouse.ops.work import set_dagster_run

log = logging.getLogger(__name__)

CURRENT_SYNC_ROWS = 25_000  # a thousand ads with 24 hours each
REPORTS_AT_ONCE = 3  # per account; Meta works on them while we wait


def run_pull(platform: Platform, request: PullRequest) -> PullSummary:
    """Pulls what is due, accounts in parallel, and records the run.

    An interrupted pull of the same request is continued: its report runs at Meta are read, not asked for again. Then
    what has become due since is pulled as well.

    Raises:
        PullFailed: The token or the API version is refused for all.
        UserError: The request names an unknown account or report.
        WarehouseError: The database failed; what was committed stays.
    """
    client = platform.graph_client()
    try:
        summary = _one_run(platform, client, request)
        if summary.resumed and request.since is None:
            summary = summary.followed_by(_one_run(platform, client, request))
    except (CredentialError, VersionRetired) as refused:
        raise PullFailed(str(refused).removesuffix(refused.mend).strip(), refused.mend) from refused
    else:
        return summary
    finally:
        client.close()


def _one_run(platform: Platform, client: GraphClient, request: PullRequest) -> PullSummary:
    arguments = request.as_arguments()
    kind = "pull"
    if request.current:
        # Reason: the hours that an interrupted pull of this kind brought are old by now; it must not be continued.
        kind = "pull current day"
        arguments |= {"at": datetime.fromtimestamp(platform.clock.now(), UTC).isoformat()}
    with running(
        platform.warehouse, kind, arguments, client.api_version, interruptions=(CredentialError, VersionRetired)
    ) as run:
        tally = Tally(platform.warehouse, client, run.run_id)
        with log_context(run=run.run_id, dagster_run=request.dagster_run):
            if request.dagster_run:
                set_dagster_run(platform.warehouse, run.run_id, request.dagster_run)
            accounts = discovery.known_accounts(platform, client, run.run_id, request.accounts)
            plan = {} if request.current else make_plan(platform, run, accounts, request)
            outcomes = _Pull(platform, client, run.run_id, request, tally, resumed=run.resumed).run(accounts, plan)
            tally.finish()
            waited = client.budget.counts.total().wait_seconds
            summary = PullSummary(run.run_id, tuple(outcomes), client.calls, run.resumed, waited)
            problems = "; ".join(problem for outcome in outcomes for problem in outcome.problems)
            run.finish(summary.status, problems or None)
            _tell(summary)
        return summary


def _tell(summary: PullSummary) -> None:
    slices, rows = (sum(getattr(one, name) for one in summary.outcomes) for name in ("slices", "rows"))
    log.info("pull %s: %d slices, %d rows, %d calls", summary.status, slices, rows, summary.calls)


class _Pull:
    """The work of one run."""

    def __init__(
        self,
        platform: Platform,
        client: GraphClient,
        run_id: UUID,
        request: PullRequest,
        tally: Tally,
        *,
        resumed: bool,
    ) -> None:
        self._platform = platform
        self._client = client
        self._run_id = run_id
        self._request = request
        self._tally = tally
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
                pool.submit(in_context(self._account), account, plan.get(account.account_id, {}), task)
                for account in accounts
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
        with self._tally.account(outcome):
            self._work_on(account, plan, outcome, task)
            log.info("%d slices, %d rows, %d problems", outcome.slices, outcome.rows, len(outcome.problems))
        return outcome

    def _work_on(self, account: KnownAccount, plan: DayPlan, outcome: AccountOutcome, task: Task) -> None:
        if account.problem:
            outcome.failed(account.problem)
            return
        if self._request.current:
            with current_day_lock(self._platform.warehouse, account.account_id) as is_ours:
                if is_ours:
                    self._current_day(account, outcome, task)
                else:
                    outcome.note(f"{account.label}: another pull of its current day is under way.")
            return
        if self._request.entities and not self._entities(account, outcome):
            return
        self._reports(account, plan, outcome, task)
        if outcome.slices:
            self._guarded(outcome, "reconciliation", partial(self._reconcile, account, outcome))
            if self._request.entities:
                fill = partial(entity_pull.fill_gaps, self._platform, self._client, self._run_id, account)
                self._guarded(outcome, "missing objects", fill)
        _note_silence(outcome)

    def _current_day(self, account: KnownAccount, outcome: AccountOutcome, task: Task) -> None:
        """Objects that changed, then the hours, if anything can have happened in them."""
        for kind in KINDS.values():
            if kind.filter_prefix:
                pull = partial(entity_pull.pull_kind, self._platform, self._client, self._run_id, account, kind)
                self._guarded(outcome, kind.name, pull)
        if not any(item.report == HOURS for item in self._platform.clients.plan_for(account.account_id)):
            return
        now = datetime.fromtimestamp(self._platform.clock.now(), UTC)
        activity = account_activity(self._platform.warehouse, account.account_id, now)
        held = pulled_at(self._platform.warehouse, account.account_id, HOURS)
        self._reports(account, {HOURS: current_days(activity, held, now, account.time_zone)}, outcome, task)

    def _entities(self, account: KnownAccount, outcome: AccountOutcome) -> bool:
        """Objects of all kinds. A kind that fails is noted; an account without campaigns to list is given up."""
        for kind in KINDS.values():
            pull = partial(
                entity_pull.pull_kind,
                self._platform,
                self._client,
                self._run_id,
                account,
                kind,
                full=self._request.full_entities,
            )
            if not self._guarded(outcome, kind.name, pull) and kind.name == "campaigns":
                return False
        history = partial(entity_pull.pull_activities, self._platform, self._client, self._run_id, account)
        self._guarded(outcome, "change history", history)
        return True

    def _reconcile(self, account: KnownAccount, outcome: AccountOutcome) -> None:
        """Asks once more for days whose ads do not add up to the account's total.

        Reason: Meta refreshes every 15 minutes, and the two reports may have been read on both sides of a refresh.
        """
        days = unreconciled_days(self._platform.warehouse, account.account_id, self._run_id)
        if not days:
            return
        log.info("%s: %d days do not add up to Meta's totals; asking once more", account.label, len(days))
        for name in ("ad_daily", "account_daily"):
            self._report(account, name, ranges(days), outcome, None, attempt=1)
        left = unreconciled_days(self._platform.warehouse, account.account_id, self._run_id)
        if left:
            outcome.note(
                f"{account.label}: on {len(left)} days ({left[0]} to {left[-1]}) the ads do not add up to Meta's "
                "account total; they are marked in mart_reconciliation."
            )

    def _reports(self, account: KnownAccount, plan: DayPlan, outcome: AccountOutcome, task: Task) -> None:
        with ThreadPoolExecutor(REPORTS_AT_ONCE, thread_name_prefix=f"act_{account.account_id}") as pool:
            futures = [
                pool.submit(
                    in_context(self._guarded), outcome, name, partial(self._report, account, name, found, outcome, task)
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

    def _guarded(self, outcome: AccountOutcome, what: str, work: Callable[[], None]) -> bool:
        """Does a part; its failure is noted and the other parts go on, unless it concerns everything.

        Returns:
            Whether it succeeded.
        """
        if self._stopped.is_set():
            return False
        try:
            work()
        except (CredentialError, VersionRetired):
            raise
        except (IngestionError, SliceRejected, RowRejected) as problem:
            outcome.failed(f"{outcome.account.label}, {what}: {problem}")
            return False
        except InterruptedError:
            if not self._stopped.is_set():
                raise
            return False
        return True

    def _report(
        self,
        account: KnownAccount,
        name: str,
        found: Sequence[DayRange],
        outcome: AccountOutcome,
        task: Task | None,
        attempt: int = 0,
    ) -> None:
        warehouse = self._platform.warehouse
        report = self._platform.report(name)
        table = self._platform.table(report)
        options = self._platform.options
        if self._request.current:
            # Reason: a report run takes Meta a minute, and people wait for these hours.
            options = replace(options, sync_rows=max(options.sync_rows, CURRENT_SYNC_ROWS))
        pull = InsightsPull(
            self._client,
            ReportJobStore(warehouse),
            self._run_id,
            str(account.account_id),
            options,
            self._limit,
            rows_per_day(warehouse, account.account_id),
        )
        done = []
        if self._resumed and not attempt:
            done = written_by(warehouse, self._run_id, account.account_id, name)

        def written(piece: Slice, result: SliceResult) -> None:
            work.add(result)
            if task:
                outcome.add(result)
                task.advance(1, f"{account.name} {name} {piece.day}")

        with (
            self._tally.report(account.account_id, name) as work,
            SliceWriter(warehouse, table, self._run_id, written) as writer,
        ):
            for since, until in reversed(found):  # newest first: what people look at arrives first
                for piece in pull.slices(report, since, until, done, attempt):
                    writer.write(piece)
                    if self._stopped.is_set():
                        return
        if not work.rows and not done and set(report.breakdowns) & OPT_IN_BREAKDOWNS:
            outcome.silent[name] = sorted(set(report.breakdowns) & OPT_IN_BREAKDOWNS)


def _note_silence(outcome: AccountOutcome) -> None:
    """Reason: without the administrator's opt-in Meta answers such breakdowns with no rows and no error."""
    for report, breakdowns in outcome.silent.items() if outcome.rows else ():
        outcome.note(
            f"{outcome.account.label}: {report} came back empty. The breakdown {', '.join(breakdowns)} needs the ad "
            "account administrator's opt-in in Ads Manager."
        )
