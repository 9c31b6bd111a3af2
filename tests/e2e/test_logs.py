"""What is logged during a pull, a check and a build, as machines read it; and what Dagster makes of it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import dagster as dg
import pytest
from ruamel.yaml import YAML

from orchestration.build import build_marts
from orchestration.dagster_logs import ConsoleLogger
from orchestration.defs.partitions import ACCOUNTS, account_day_key, account_key
from orchestration.defs.raw import raw_assets, report_key
from orchestration.logs import HANDLER, JsonFormatter, configure_logging
from orchestration.platform import Platform
from orchestration.quality import check_and_hold
from tests.e2e.harness import ROOT, Bench, account_ids, scalar

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SINCE, UNTIL = date(2026, 11, 5), date(2026, 11, 8)
REPORTS = ("ad_daily", "account_daily")
SECRET = "hunter2-and-a-long-tail"


class WithThread(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(json.loads(super().format(record)) | {"thread": record.threadName})


@contextmanager
def json_log(level: str = "DEBUG") -> Iterator[io.StringIO]:
    """The log as JSON lines with the name of the thread, for the time of a block; then as it was."""
    root, factory, kind = logging.getLogger(), logging.getLogRecordFactory(), logging.getLoggerClass()
    before = root.level
    stream = io.StringIO()
    configure_logging(level, "json", [SECRET], stream)
    handler = next(handler for handler in root.handlers if handler.get_name() == HANDLER)
    handler.setFormatter(WithThread())
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        logging.setLogRecordFactory(factory)
        logging.setLoggerClass(kind)


def lines(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_of_an_accounts_work_says_whose_it_is(plain_bench: Bench) -> None:
    """Threads are where fields get lost: each of them works for one account."""
    for account in account_ids(plain_bench.simulator)[:2]:
        plain_bench.simulator.inject("insights_intermittent", account=str(account), times=2)
    with json_log() as stream:
        summary = plain_bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    found = lines(stream)
    of_accounts = [line for line in found if line["thread"] != "MainThread"]
    accounts = {f"act_{i}" for i in account_ids(plain_bench.simulator)}
    assert {line.get("account") for line in of_accounts} == accounts
    assert {line.get("run") for line in of_accounts} == {str(summary.run_id)}
    assert not [line for line in found if "report" in line and "account" not in line]
    assert not [line for line in found if "slice" in line and not line["slice"].startswith(line["report"])]
    days = {line["slice"] for line in found if "slice" in line}
    assert days >= {f"{name} 2026-11-0{day}" for name in REPORTS for day in (5, 6, 7, 8)}
    assert {line["thread"].split("_")[0] for line in of_accounts} >= {"account", "act", "writer"}


def test_a_check_and_a_build_say_whose_and_which_they_are(built_bench: Bench) -> None:
    account = account_ids(built_bench.simulator)[0]
    built_bench.pull(since=SINCE, until=UNTIL, reports=REPORTS, accounts=(account,))
    with json_log("INFO") as stream:
        platform = built_bench.platform()
        check_and_hold(platform, account, REPORTS, SINCE, UNTIL)
        build_marts(platform)
    found = lines(stream)
    checked = [line for line in found if line["logger"] == "orchestration.quality"]
    assert checked
    assert {(line["account"], line["slice"]) for line in checked} == {(f"act_{account}", f"{SINCE}..{UNTIL}")}
    build = scalar(built_bench.warehouse, "SELECT max(build_id) FROM ops.mart_build")
    built = [line for line in found if line["logger"] == "orchestration.build"]
    assert {line["build"] for line in built} == {str(build)}


class Source:
    """The bench's platform, which tells its log a secret when it is opened."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @contextmanager
    def opened(self) -> Iterator[Platform]:
        logging.getLogger("orchestration.test").warning("password=%s and %s", "zzzzzzzz", SECRET)
        yield self._bench.platform()


def test_in_dagster_a_line_is_told_once_on_the_runs_page_and_never_with_a_secret(
    plain_bench: Bench, tmp_path, capfd: pytest.CaptureFixture[str]
) -> None:
    managed = YAML(typ="safe").load((ROOT / "orchestration" / "dagster.yaml").read_text())["python_logs"]
    account = account_ids(plain_bench.simulator)[0]
    insights = raw_assets(dg.RetryPolicy(max_retries=0))[1]
    job = dg.define_asset_job("pull", dg.AssetSelection.assets(report_key("ad_daily")))
    defs = dg.Definitions([insights], jobs=[job], resources={"platform": Source(plain_bench)})
    ends = {"start": SINCE, "end": UNTIL}
    tags = {f"dagster/asset_partition_range_{end}": str(account_day_key(account, day)) for end, day in ends.items()}
    with (
        json_log() as stream,
        dg.DagsterInstance.local_temp(str(tmp_path), overrides={"python_logs": managed}) as instance,
    ):
        logging.setLoggerClass(ConsoleLogger)
        instance.add_dynamic_partitions(ACCOUNTS.name, [account_key(account)])
        result = defs.resolve_job_def("pull").execute_in_process(instance=instance, tags=tags)
        kept = [record.event_log_entry for record in instance.get_records_for_run(result.run_id).records]
    assert result.success

    told = [entry.user_message for entry in kept if not entry.is_dagster_event]
    assert any("pull succeeded" in text for text in told)
    everything = "\n".join(map(str, kept))
    assert SECRET not in everything
    assert "zzzzzzzz" not in everything
    assert "password=***" in everything

    found = lines(stream)
    ours = [line for line in found if line["logger"].startswith("orchestration.pull") and "account" in line]
    assert ours
    assert {line["dagster_run"] for line in ours} == {result.run_id}
    assert not [line for line in found if "dagster_meta" in line or "origin" in line]
    # Dagster's console writes JSON as well, and does not repeat what is ours.
    console = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    events = [json.loads(line) for line in console]
    assert {line["logger"] for line in events} == {"dagster"}
    assert scalar(plain_bench.warehouse, "SELECT dagster_run FROM ops.run") == result.run_id
