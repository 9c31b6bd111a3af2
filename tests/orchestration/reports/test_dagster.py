"""Reports as Dagster asks for them and sends them: once, on time, late, and not for old weeks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.clients.models import ClientsFile
from orchestration.defs.reports import due_reports, email_report, email_reports
from orchestration.defs.run_events import Position, ended_runs
from orchestration.errors import ConfigurationError
from orchestration.platform import Platform
from orchestration.reports.asking import Memory, requests
from orchestration.reports.due import last_firing
from orchestration.reports.writing import Writer
from tests.dashboards.reports.account_days import write
from tests.orchestration.reports.office import DUE, LAST, Office, fill, opened
from tests.orchestration.reports.sample import client
from tests.receivers import Mailbox
from warehouse.connect import Warehouse

pytestmark = pytest.mark.integration


class Dagster:
    """An office with a sensor that remembers, and runs that are executed at once."""

    def __init__(self, office: Office, instance: dg.DagsterInstance) -> None:
        self.office, self.instance = office, instance
        self.cursor: str | None = None
        self.keys: list[str] = []
        self.said = ""
        self.problem: ConfigurationError | None = None

    @contextmanager
    def opened(self) -> Iterator[Platform]:
        if self.problem:
            raise self.problem
        yield self.office.platform

    def writer(self) -> Writer:
        return self.office.writer

    def now(self, platform: Platform) -> datetime:
        return self.office.now

    def look(self, **later: float) -> list[dg.RunRequest]:
        """One evaluation of the sensor after a while; requests whose key was there before are none, as in Dagster."""
        self.office.now += timedelta(**later)
        context = dg.build_sensor_context(
            self.instance, cursor=self.cursor, resources={"platform": self, "reporting": self}
        )
        result = due_reports(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor, self.said = result.cursor, (result.skip_reason.skip_message or "") if result.skip_reason else ""
        fresh = [one for one in result.run_requests or [] if one.run_key not in self.keys]
        self.keys += [str(one.run_key) for one in fresh]
        return fresh

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return email_report.execute_in_process(
            run_config=request.run_config,
            tags=dict(request.tags),
            instance=self.instance,
            resources={"platform": self, "reporting": self},
            raise_on_error=False,
        )


@pytest.fixture
def dagster(url: str, box: Mailbox, tmp_path: Path) -> Iterator[Dagster]:
    with opened(url, box.port) as office, dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        fill(office.warehouse)
        office.now = DUE - timedelta(minutes=5)
        yield Dagster(office, instance)


def test_it_is_asked_for_when_its_time_has_come_and_sent_once(dagster: Dagster, box: Mailbox) -> None:
    assert dagster.look() == []
    assert dagster.said == "No report is due."
    assert dagster.look(minutes=4, seconds=59) == []
    (request,) = dagster.look(seconds=1)
    assert request.tags["meta-ads/client"] == "client-1"
    assert request.tags["meta-ads/report"] == "client-1/weekly"
    assert request.tags["meta-ads/period"] == "2026-11-09..2026-11-15"
    assert dagster.look(minutes=1) == []
    done = dagster.run(request)
    assert done.success
    (event,) = done.asset_materializations_for_node("send_report")
    assert event.asset_key == email_reports.key
    assert event.metadata["recipients"].value == "ann@example.com, bob@example.com"
    dagster.office.now += timedelta(minutes=1)
    again = dagster.run(request)
    assert again.success
    assert again.asset_materializations_for_node("send_report") == []
    assert [one for _ in range(30) for one in dagster.look(hours=5)] == []
    assert len(box.received) == 1


def test_a_platform_that_was_down_sends_the_newest_report_late(dagster: Dagster, box: Mailbox) -> None:
    dagster.look()
    (request,) = dagster.look(minutes=45)
    assert dagster.run(request).success
    assert len(box.received) == 1
    (request,) = dagster.look(days=23)
    assert request.tags["meta-ads/period"] == "2026-11-30..2026-12-06"
    assert dagster.look(minutes=1) == []


def test_what_was_declared_a_moment_ago_waits_for_its_time(dagster: Dagster) -> None:
    dagster.office.now = DUE + timedelta(hours=8)
    assert [one for _ in range(5) for one in dagster.look(hours=1)] == []
    dagster.office.declare(schedule="0 6 * * mon")
    assert dagster.look(hours=1) == []
    assert len(dagster.look(days=6, hours=12)) == 1
    dagster.office.declare(schedule="0 6 * * mon", enabled=False)
    assert dagster.look(days=7) == []
    assert dagster.said == "clients.yml declares no report."


def test_what_is_kept_back_is_asked_for_again_until_it_is_sent(dagster: Dagster, box: Mailbox) -> None:
    write(dagster.office.warehouse, "marts", 1002, [LAST], status="mismatch")
    dagster.look()
    for minutes in (5, 30, 30):
        assert dagster.look(minutes=minutes - 1) == []
        (request,) = dagster.look(minutes=1)
        done = dagster.run(request)
        assert done.success
        metadata = done.filter_events(lambda event: event.is_successful_output)[0].step_output_data.metadata
        assert metadata["state"].value == "withheld"
        assert "do not add up" in str(metadata["reason"].value)
    write(dagster.office.warehouse, "marts", 1002, [LAST])
    (request,) = dagster.look(minutes=30)
    assert dagster.run(request).success
    assert dagster.look(minutes=30) == []
    assert len(box.received) == 1


def test_a_report_that_nobody_takes_fails_its_run_and_is_given_up_after_a_day(dagster: Dagster, box: Mailbox) -> None:
    box.verdict = "451 come again"
    dagster.look()
    runs = 0
    for _ in range(10):
        for request in dagster.look(hours=4):
            done = dagster.run(request)
            assert not done.success
            runs += 1
    assert 6 <= runs <= 8
    row = dagster.office.row
    assert row is not None
    assert row.state == "given_up"
    failed = done.failure_data_for_node("send_report")
    assert failed is not None
    assert failed.user_failure_data is not None
    assert "451 come again" in str(failed.user_failure_data.description)
    ended, _ = ended_runs(dagster.instance, Position(), datetime.now(UTC))
    assert {(run.step, run.error_kind, run.subject) for run in ended} == {
        ("send_report", "ReportNotSent", "email_report|client-1/weekly")
    }


def test_a_run_that_never_began_or_died_is_asked_for_again(dagster: Dagster) -> None:
    dagster.look()
    assert len(dagster.look(minutes=5)) == 1
    assert dagster.look(minutes=29) == []
    assert len(dagster.look(minutes=1)) == 1


def test_without_a_mail_server_nothing_is_asked_for(dagster: Dagster) -> None:
    dagster.office.use(25, smtp_host=None)
    dagster.look()
    assert dagster.look(minutes=10) == []
    assert "SMTP_HOST" in dagster.said
    dagster.office.use(25, report_email_from=None)
    assert dagster.look() == []
    assert "an address to send from" in dagster.said


def test_what_is_wrong_with_the_installation_is_told_and_forgets_nothing(dagster: Dagster) -> None:
    dagster.look()
    kept = dagster.cursor
    dagster.problem = ConfigurationError("clients.yml has 2 mistakes.", "correct it")
    assert dagster.look(minutes=10) == []
    assert "2 mistakes" in dagster.said
    assert dagster.cursor == kept
    dagster.problem = None
    assert len(dagster.look()) == 1


def test_a_report_may_be_run_by_hand(dagster: Dagster, box: Mailbox) -> None:
    def config(**which: str) -> dg.RunRequest:
        return dg.RunRequest(run_config={"ops": {"send_report": {"config": {"client": "client-1", **which}}}})

    dagster.office.now = DUE + timedelta(hours=1)
    for which, words in (
        ({"report": "wekly"}, "no report client-1/wekly"),
        ({"report": "weekly", "due_at": "x"}, "due_at"),
    ):
        done = dagster.run(config(**which))
        assert not done.success
        failed = done.failure_data_for_node("send_report")
        assert failed is not None
        assert failed.user_failure_data is not None
        assert words in str(failed.user_failure_data.description)
    assert dagster.run(config(report="weekly")).success
    assert len(box.received) == 1


def test_a_database_that_is_gone_fails_the_run_as_any_other(dagster: Dagster) -> None:
    dagster.look()
    (request,) = dagster.look(minutes=5)
    dagster.office.platform.warehouse = Warehouse("postgresql://nobody@127.0.0.1:1/nowhere")
    assert not dagster.run(request).success
    assert dagster.look() == []
    assert "127.0.0.1" in dagster.said


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["0 7 * * *", "30 2 * * *", "0 7 * * mon"]),
    st.sampled_from(["Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo"]),
    st.lists(st.integers(1, 3 * 1440), min_size=5, max_size=40),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001
)
def test_whenever_it_looks_each_period_is_asked_for_once(
    schedule: str, zone: str, waits: list[int], start: datetime
) -> None:
    """With looks at any times, asked for is what fired since the look before: its newest, once, and no older one."""
    owner = client(schedule=schedule, time_zone=zone, period="yesterday")
    clients = ClientsFile(version=1, clients=[owner])
    now = start.replace(tzinfo=UTC)
    memory = Memory.parse(None).learn(clients, now)
    asked: list[str] = []
    for minutes in waits:
        before, now = now, now + timedelta(minutes=minutes)
        memory = Memory.parse(memory.model_dump_json()).learn(clients, now)
        found = [one for one in requests(clients, [], memory.reports, now) if one.key not in asked]
        fired = last_firing(owner.reports[0], now)
        days = {one.due.period.last for one in found}
        if fired > before:
            assert days == {fired.date() - timedelta(days=1)}
        asked += [one.key for one in found]
        assert all(one.due.at <= now for one in found)
