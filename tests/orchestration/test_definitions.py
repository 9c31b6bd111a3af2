"""What Dagster loads, without a server: keys, partitions, and what the schedules ask for."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchestration.defs.build import build_defs
from orchestration.defs.partitions import ACCOUNT_DAYS, DAYS, account_day_key, account_key, account_of, account_ranges
from orchestration.defs.partitions import first_day as first_partition
from orchestration.defs.schedules import insight_request
from orchestration.transform import parse_project

ROOT = Path(__file__).parents[2]
KEYS = Path(__file__).with_name("asset_keys.txt")
ZONES = ("Pacific/Kiritimati", "Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "Pacific/Pago_Pago")


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_defs(manifest=parse_project(tmp_path_factory.mktemp("dbt") / "target"))


def test_asset_keys_are_what_they_were(definitions: dg.Definitions) -> None:
    """A key is a name that others build on. If a change is meant, set META_ADS_UPDATE=1 and commit the file."""
    keys = "".join(f"{key.to_user_string()}\n" for key in sorted(definitions.resolve_all_asset_keys()))
    if os.environ.get("META_ADS_UPDATE"):
        KEYS.write_text(keys)
    assert keys == KEYS.read_text()


def test_every_asset_has_owner_group_and_words(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        assert node.owners, key
        assert node.group_name != "default", key
        assert node.description, key


def test_dagster_loads_it(tmp_path: Path) -> None:
    """`dagster definitions validate`, in a process of its own and an empty home."""
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "orchestration.definitions"]
    environment = os.environ | {"META_ADS_HOME": str(tmp_path), "META_ADS_ENV_FILE": "", "DAGSTER_HOME": str(tmp_path)}
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_instance_file_is_one_that_dagster_accepts(tmp_path: Path) -> None:
    """Read as Dagster reads it, with a database in a file in place of the server."""
    settings = YAML(typ="safe").load((ROOT / "orchestration" / "dagster.yaml").read_text())
    assert settings["storage"]["postgres"]["postgres_url"] == {"env": "DAGSTER_DATABASE_URL"}
    settings["storage"] = {"sqlite": {"base_dir": str(tmp_path)}}
    with (tmp_path / "dagster.yaml").open("w") as file:
        YAML().dump(settings, file)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 6


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001 - hypothesis asks for naive ones
def test_a_daily_run_covers_the_restated_days_up_to_the_accounts_yesterday(moment: datetime, zone: str) -> None:
    now = moment.replace(tzinfo=UTC)
    request = insight_request(77, zone, now)
    ends = [
        ACCOUNT_DAYS.get_partition_key_from_str(request.tags[f"dagster/asset_partition_range_{end}"])
        for end in ("start", "end")
    ]
    first, last = (date.fromisoformat(key.keys_by_dimension["day"]) for key in ends)
    assert {key.keys_by_dimension["account"] for key in ends} == {"act_77"}
    assert last == now.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    assert (last - first).days == 27
    later = insight_request(77, zone, now + timedelta(days=1))
    assert later.run_key != request.run_key


def test_today_is_a_partition_wherever_the_account_is() -> None:
    """The day begins first on Kiritimati; its label must exist as soon as somebody lives in it."""
    for hour in range(0, 24, 3):
        now = datetime(2026, 11, 20, hour, 30, tzinfo=UTC)
        with dg.partition_loading_context(effective_dt=now):
            last = DAYS.get_last_partition_key()
        assert last is not None
        assert last >= now.astimezone(ZoneInfo("Pacific/Kiritimati")).date().isoformat()


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_partitions_reach_as_far_back_as_meta_does(today: date) -> None:
    first = first_partition(today)
    assert first.day == 1
    assert (today.year - first.year) * 12 + today.month - first.month == 36


@given(
    st.dictionaries(
        st.integers(1, 10**17), st.sets(st.dates(date(2024, 1, 1), date(2026, 1, 1)), min_size=1), max_size=4
    )
)
def test_keys_become_ranges_and_lose_nothing(wanted: dict[int, set[date]]) -> None:
    keys = [str(account_day_key(account, day)) for account, days in wanted.items() for day in days]
    found = account_ranges(keys)
    assert all(account_of(account_key(account)) == account for account in wanted)
    back = {
        account: {since + timedelta(days=n) for since, until in several for n in range((until - since).days + 1)}
        for account, several in found.items()
    }
    assert back == wanted
