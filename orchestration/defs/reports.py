"""Reports by e-mail: a job that sends one, and a sensor that asks for those that are due.

What belongs here: the job, the sensor, what they tell Dagster. What does not: when a report is due and whether it goes
out (`orchestration.reports`). A sensor and not a schedule for each report: what `clients.yml` declares is known when it
is looked at, and not when Dagster loads its code; and one that is kept back is tried again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import dagster as dg

from orchestration.clients.models import ClientsFile
from orchestration.defs.resources import PlatformSource
from orchestration.errors import ConfigurationError, UserError
from orchestration.logs import log_context
from orchestration.mail_settings import report_sender, smtp_server
from orchestration.platform import Platform
from orchestration.reports.asking import Memory, Request, requests
from orchestration.reports.deliver import deliver
from orchestration.reports.desk import Desk
from orchestration.reports.due import Due, newest_due
from orchestration.reports.writing import Writer, write_report
from warehouse.errors import WarehouseError
from warehouse.ops.report_deliveries import Delivery, deliveries

LOOK_EVERY_SECONDS = 60
CLIENT_TAG, REPORT_TAG, PERIOD_TAG = "meta-ads/client", "meta-ads/report", "meta-ads/period"
#: Below ticks, which are late after 15 minutes, and above backfills.
PRIORITY = "12"

email_reports = dg.AssetSpec(
    dg.AssetKey(["reports", "email_reports"]),
    group_name="reports",
    deps=[dg.AssetKey(["marts", "mart_performance_daily__campaign"]), dg.AssetKey(["marts", "mart_reconciliation"])],
    owners=["team:data-engineering"],
    kinds={"email"},
    description="Reports that went out by e-mail: an event for each, with client, days and recipients.",
)


class Reporting(Protocol):
    """What reports need beside the platform."""

    def writer(self) -> Writer:
        """Who writes them."""

    def now(self, platform: Platform) -> datetime:
        """The time, with a time zone."""


class EnvironmentReporting:
    """Reports as this installation sends them."""

    def writer(self) -> Writer:
        """See `Reporting.writer`."""
        return write_report

    def now(self, platform: Platform) -> datetime:
        """See `Reporting.now`: the platform's clock."""
        return datetime.fromtimestamp(platform.clock.now(), UTC)


class WhichReport(dg.Config):
    """The report to send.

    Attributes:
        client: Id of the client.
        report: Its name.
        due_at: When it was due, ISO with a time zone; empty for the newest period that is due.
    """

    client: str
    report: str
    due_at: str = ""


@dg.op
def send_report(
    context: dg.OpExecutionContext,
    config: WhichReport,
    platform: dg.ResourceParam[PlatformSource],
    reporting: dg.ResourceParam[Reporting],
) -> Iterator[dg.AssetMaterialization | dg.Output[None]]:
    """Writes and sends a report, unless its period was sent. What keeps it back for now is no failure."""
    with log_context(dagster_run=context.run_id), platform.opened() as opened:
        began = reporting.now(opened)
        try:
            due = _due(opened.clients, config, began)
            row = deliver(Desk.of(opened, reporting.writer(), lambda: reporting.now(opened)), due)
        except UserError as problem:
            raise dg.Failure(f"{problem.message} Mend: {problem.mend}.", allow_retries=False) from None
        except WarehouseError as problem:
            raise dg.Failure(str(problem)) from problem
    metadata = _metadata(due, row)
    if row is not None and row.state in ("failed", "unsure", "given_up"):
        # Reason: whoever is in charge is told by the row (orchestration.alerts.reports), and not by the run as well.
        metadata["error_kind"] = "ReportNotSent"
        raise dg.Failure(f"{row.reason} Mend: {row.mend}.", metadata=metadata, allow_retries=False)
    if row is not None and row.sent_at is not None and row.sent_at >= began:
        yield dg.AssetMaterialization(email_reports.key, metadata=metadata)
    yield dg.Output(None, metadata=metadata)


@dg.job(
    description="One report by e-mail. Run again for the same days it does nothing, unless they were not sent.",
    tags={"dagster/priority": PRIORITY},
    executor_def=dg.in_process_executor,
)
def email_report() -> None:
    """One step."""
    send_report()


@dg.sensor(
    job=email_report,
    minimum_interval_seconds=LOOK_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for each report of clients.yml when its schedule has fired in its time zone, and again while its "
    "data are not complete or the mail server does not take it.",
)
def due_reports(
    context: dg.SensorEvaluationContext,
    platform: dg.ResourceParam[PlatformSource],
    reporting: dg.ResourceParam[Reporting],
) -> dg.SensorResult:
    """Looks once."""
    try:
        with platform.opened() as opened:
            now = reporting.now(opened)
            memory = Memory.parse(context.cursor).learn(opened.clients, now)
            can_mail = smtp_server(opened.settings) is not None and report_sender(opened.settings) is not None
            rows = deliveries(opened.warehouse) if memory.reports and can_mail else []
            clients = opened.clients
    except (UserError, WarehouseError) as problem:
        return dg.SensorResult(skip_reason=str(problem), cursor=context.cursor)
    kept = memory.model_dump_json()
    if not memory.reports:
        return dg.SensorResult(skip_reason="clients.yml declares no report.", cursor=kept)
    if not can_mail:
        reason = "No report is sent: SMTP_HOST, or an address to send from, is not set. `meta-ads doctor` says more."
        return dg.SensorResult(skip_reason=reason, cursor=kept)
    asked = [_run(request) for request in requests(clients, rows, memory.reports, now)]
    if not asked:
        return dg.SensorResult(skip_reason="No report is due.", cursor=kept)
    return dg.SensorResult(run_requests=asked, cursor=kept)


def _run(request: Request) -> dg.RunRequest:
    due = request.due
    config = WhichReport(client=due.client.id, report=due.report.name, due_at=due.at.isoformat())
    return dg.RunRequest(
        run_key=request.key,
        run_config=dg.RunConfig(ops={send_report.name: config}),
        tags={CLIENT_TAG: due.client.id, REPORT_TAG: due.name, PERIOD_TAG: _days(due)},
    )


def _due(clients: ClientsFile, config: WhichReport, now: datetime) -> Due:
    found = [
        (client, report)
        for client in clients.clients
        for report in client.reports
        if (client.id, report.name) == (config.client, config.report)
    ]
    if not found:
        raise ConfigurationError(
            f"clients.yml has no report {config.client}/{config.report}.", "`meta-ads report list` shows those it has"
        )
    try:
        at = datetime.fromisoformat(config.due_at) if config.due_at else now
    except ValueError:
        raise ConfigurationError(f"due_at is {config.due_at!r}.", "leave it empty, or write an ISO time") from None
    return newest_due(*found[0], at if at.tzinfo else at.replace(tzinfo=UTC))


def _metadata(due: Due, row: Delivery | None) -> dict[str, Any]:
    found: dict[str, Any] = {"client": due.client.name, "report": due.report.name, "days": _days(due)}
    if row is None:
        return found | {"state": "another process works on it"}
    found |= {"state": row.state, "attempts": row.attempts}
    if row.reason:
        found |= {"reason": row.reason, "mend": row.mend}
    if row.retry_at:
        found["tried again"] = f"{row.retry_at:%Y-%m-%d %H:%M} UTC"
    if row.sent_at:
        found |= {"recipients": ", ".join(row.recipients), "message id": row.message_id or ""}
    return found


def _days(due: Due) -> str:
    return f"{due.period.first}..{due.period.last}"
