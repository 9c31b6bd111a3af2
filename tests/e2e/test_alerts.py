"""Alerts from end to end: runs that Dagster made, a simulator that misbehaves, a real mailbox and a real webhook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.alerts.channels import Channel, channels
from orchestration.defs.alerts import alerts
from orchestration.defs.checks import check_key, raw_checks
from orchestration.defs.partitions import ACCOUNTS, account_day_key, account_key
from orchestration.defs.raw import raw_assets, report_key
from orchestration.platform import Platform, open_platform
from orchestration.progress import Display
from orchestration.settings import Settings
from tests.e2e.harness import Bench, account_ids, make_settings, scalar
from tests.receivers import Hook, Mailbox, mail_server, web_hook
from warehouse.connect import Warehouse
from warehouse.ops import HeldDay, UsageStore, hold_days

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SINCE, UNTIL = date(2026, 11, 5), date(2026, 11, 6)
NEVER = dg.RetryPolicy(max_retries=0)


class BenchSource:
    """The bench's platform; it can be told to be out of reach."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.is_down = False

    @contextmanager
    def opened(self) -> Iterator[Platform]:
        platform = self.bench.platform()
        if self.is_down:
            platform.warehouse = Warehouse("postgresql://someone:hush-hush@127.0.0.1:1/nowhere")
        yield platform


class Alerting:
    """Settings of the test, and a clock that the test sets."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self._settings, self.moment = settings, now

    def settings(self) -> Settings:
        return self._settings

    def channels(self, settings: Settings) -> list[Channel]:
        return channels(settings)

    def now(self, platform: Platform | None) -> datetime:
        return self.moment


class World:
    """All of it, with one sensor that remembers."""

    def __init__(self, bench: Bench, instance: dg.DagsterInstance, box: Mailbox, hook: Hook) -> None:
        self.bench, self.instance, self.box, self.hook = bench, instance, box, hook
        self.source = BenchSource(bench)
        settings = make_settings(
            bench.simulator,
            bench.folder,
            alert_email_to="ops@example.com",
            alert_email_from="alerts@example.com",
            alert_webhook_url=hook.url,
            smtp_host="localhost",
            smtp_port=box.port,
            smtp_tls="none",
            dagster_web_url="https://dagster.example.com",
        )
        self.alerting = Alerting(settings, datetime.fromisoformat(bench.simulator.get("state?jobs=0")["now"]))
        self.cursor: str | None = None

    def look(self, minutes: float = 0) -> str:
        """One evaluation of the sensor, after a while; returns what it says."""
        self.alerting.moment += timedelta(minutes=minutes)
        result = self.look_once()
        self.cursor = result.cursor
        return str(result.skip_reason)

    def look_once(self) -> dg.SensorResult:
        """One evaluation, nothing remembered."""
        resources = {"platform": self.source, "alerting": self.alerting}
        return alerts(dg.build_sensor_context(self.instance, cursor=self.cursor, resources=resources))

    def pull(self, account: int, job: str = "daily_insights", **tags: str) -> bool:
        """A run for an account, as the daily schedule makes it."""
        named = dg.define_asset_job(job, dg.AssetSelection.assets(report_key("account_daily")))
        defs = dg.Definitions([raw_assets(NEVER)[1]], jobs=[named], resources={"platform": self.source})
        ends = {"start": SINCE, "end": UNTIL}
        ranges = {f"dagster/asset_partition_range_{end}": account_day_key(account, day) for end, day in ends.items()}
        tags |= {"meta-ads/account": account_key(account)} | {name: str(key) for name, key in ranges.items()}
        return (
            defs.resolve_job_def(job)
            .execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)
            .success
        )

    def told(self) -> tuple[list[str], list[str]]:
        """Subjects of mails, and texts of posts, since the last time; they must be the same."""
        mails, posts = self.box.subjects, [post["text"] for post in self.hook.posts]
        self.box.received.clear()
        self.hook.posts.clear()
        return mails, posts


@pytest.fixture
def world(plain_bench: Bench, tmp_path: Path) -> Iterator[World]:
    (tmp_path / "dagster").mkdir()
    with (
        dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance,
        mail_server() as box,
        web_hook() as hook,
    ):
        instance.add_dynamic_partitions(ACCOUNTS.name, [account_key(i) for i in account_ids(plain_bench.simulator)])
        yield World(plain_bench, instance, box, hook)


def test_a_refused_token_that_fails_all_accounts_is_one_message_and_one_all_clear(world: World) -> None:
    accounts = account_ids(world.bench.simulator)
    world.bench.simulator.inject("token_expired")
    assert [world.pull(account) for account in accounts] == [False] * len(accounts)
    world.look()
    (mail,), (post,) = world.box.received[:], world.hook.posts[:]
    subject = "[Error] Meta refuses the access token"
    assert world.told() == ([subject], [subject])
    text = mail.get_body(("plain",)).get_content()
    assert "META_ACCESS_TOKEN" in text
    assert "SIMULATOR" not in str(mail) + str(post)
    for account in accounts:
        assert f"act_{account}" in text
        assert any(f"act_{account}" in block["text"]["text"] for block in post["blocks"] if "text" in block)
    assert "https://dagster.example.com/runs/" in text

    world.pull(accounts[0])
    for minutes in (1, 5, 60, 120):
        world.look(minutes)
    assert world.told() == ([], [])
    world.look(60)
    assert world.told() == ([f"[Still: {subject[1:]}"],) * 2

    world.bench.simulator.reset()
    assert [world.pull(account) for account in accounts] == [True] * len(accounts)
    world.look(6)
    assert world.told() == ([], [])  # it must stay away for a while
    world.look(11)
    clear = "[All clear] Meta refuses the access token"
    assert world.told() == ([clear], [clear])
    for minutes in (10, 300, 1500):
        world.look(minutes)
        assert not any("token" in text for text in world.told()[0])


def test_a_channel_that_is_down_gets_its_message_later_and_the_other_gets_it_once(world: World) -> None:
    world.bench.simulator.inject("token_expired")
    world.pull(account_ids(world.bench.simulator)[0])
    world.box.hang_up = "mail"
    assert "email failed" in world.look()
    mails, posts = world.told()
    assert (mails, len(posts)) == ([], 1)
    problem = "SELECT problem FROM ops.alert_delivery WHERE channel = 'email'"
    assert "closed the connection" in scalar(world.bench.warehouse, problem)
    world.box.hang_up = None
    world.look(1)
    assert world.told() == (["[Error] Meta refuses the access token"], [])
    assert scalar(world.bench.warehouse, problem) is None
    world.look(1)
    assert world.told() == ([], [])


def test_only_the_last_attempt_of_a_retried_run_counts(world: World) -> None:
    """As Dagster's daemon marks them: the first is tried again, the second is the last."""
    account = account_ids(world.bench.simulator)[0]
    world.bench.simulator.inject("permission_200", account=str(account))
    world.pull(account, **{"dagster/will_retry": "true"})
    world.look()
    assert world.told() == ([], [])
    assert scalar(world.bench.warehouse, "SELECT count(*) FROM ops.alert") == 0
    world.pull(account, **{"dagster/will_retry": "false", "dagster/retry_number": "2"})
    world.look(1)
    assert world.told()[0] == ["[Error] daily_insights fails"]
    assert scalar(world.bench.warehouse, "SELECT cause FROM ops.alert") == "run_failed:daily_insights:PartsFailed"
    world.bench.simulator.reset()
    world.pull(account, job="other")
    world.look(20)
    assert world.told() == ([], [])
    world.pull(account)
    world.look(1)
    world.look(11)
    assert world.told()[0] == ["[All clear] daily_insights fails"]


def test_accounts_that_fail_alike_are_one_message_that_names_them(world: World) -> None:

    def about_runs() -> list[str]:
        return [subject for subject in world.told()[0] if "daily_insights" in subject]

    accounts = account_ids(world.bench.simulator)
    assert len(accounts) > 1
    world.bench.simulator.inject("permission_200")
    for account in accounts:
        world.pull(account)
    world.look()
    (mail,) = world.box.received
    for account in accounts:
        assert f"act_{account}" in mail.get_body(("html",)).get_content()
    world.bench.simulator.reset()
    world.pull(accounts[0])
    world.look(1)
    world.look(20)
    assert about_runs() == ["[Error] daily_insights fails"]  # the others still fail
    for account in accounts[1:]:
        world.pull(account)
    world.look(1)
    world.look(11)
    assert about_runs() == ["[All clear] daily_insights fails"]


def test_a_warehouse_that_is_down_is_told_once_and_its_return_once(world: World) -> None:
    world.source.is_down = True
    world.look()
    assert world.told() == ([], [])  # it may only be starting
    failed = world.pull(account_ids(world.bench.simulator)[0])
    assert not failed
    for minutes in (1, 2, 10, 60):
        world.look(minutes)
    (mail,) = world.box.received
    assert "hush-hush" not in str(mail)
    assert "WAREHOUSE_URL" in mail.get_body(("plain",)).get_content()
    assert world.told() == (["[Error] The warehouse does not answer"],) * 2
    world.source.is_down = False
    world.look(1)
    assert world.told() == ([], [])
    world.look(11)
    assert world.told() == (["[All clear] The warehouse does not answer"],) * 2
    # The run that was lost to it is no second cause, unless nobody makes good for it.
    lost = "SELECT cause FROM ops.alert"
    assert scalar(world.bench.warehouse, lost) == "run_failed:daily_insights:DatabaseUnavailable"
    world.look(120)
    assert world.told()[0] == ["[Error] daily_insights fails"]


def test_wrong_settings_are_told_too(world: World) -> None:
    """A `clients.yml` with a mistake stops every run before it begins."""

    @contextmanager
    def opened() -> Iterator[Platform]:
        with open_platform(wrong, Display()) as platform:
            yield platform

    (world.bench.folder / "clients.yml").write_text("version: 7\n")
    wrong = make_settings(world.bench.simulator, world.bench.folder, clients_file=world.bench.folder / "clients.yml")
    world.source.opened = opened  # type: ignore[method-assign]
    world.look()
    assert world.told() == (["[Error] The settings are wrong, so nothing runs"],) * 2


def test_old_numbers_failed_checks_and_names_with_marks_in_them(world: World) -> None:
    bench = world.bench
    first, second, *_ = account_ids(bench.simulator)
    bench.pull(since=SINCE, until=UNTIL, reports=("account_daily",))
    with bench.warehouse.connection() as connection:
        connection.execute(
            "UPDATE ops.client_account SET account_name = %s WHERE account_id = %s",
            ["<script>alert(1)</script> & <!channel>", first],
        )
    hold_days(
        bench.warehouse,
        first,
        ["account_daily"],
        SINCE,
        UNTIL,
        [HeldDay(first, SINCE, "account_daily", "keys", "Rows are missing.", datetime.now(UTC))],
    )
    world.look()
    mails, posts = list(world.box.received), list(world.hook.posts)
    subjects, _ = world.told()
    assert len(subjects) == 2
    assert "[Error] 2 accounts have no complete yesterday" in subjects
    for mail in mails:
        html = mail.get_body(("html",)).get_content()
        assert "<script" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;!channel&gt;" in html
        assert "<script>alert(1)</script> & <!channel>" in mail.get_body(("plain",)).get_content()
    for post in posts:
        texts = post["text"] + "".join(block["text"]["text"] for block in post["blocks"] if block["type"] == "section")
        assert "&lt;!channel&gt;" in texts
        assert "<!channel>" not in texts
    scoped = "SELECT array_agg(DISTINCT account_id ORDER BY account_id) FROM ops.alert_account"
    assert scalar(bench.warehouse, scoped) == sorted([first, second])

    bench.pull(reports=("account_daily",), entities=False)  # up to each account's yesterday
    hold_days(bench.warehouse, first, ["account_daily"], SINCE, UNTIL, [])
    world.look(1)
    world.look(11)
    clears, _ = world.told()
    assert len(clears) == 2
    assert all(subject.startswith("[All clear]") for subject in clears)


def test_a_failed_check_is_told_by_the_days_it_holds_and_not_by_its_run(world: World) -> None:
    bench = world.bench
    account = account_ids(bench.simulator)[0]
    reports = ("ad_daily", "account_daily")
    bench.pull(reports=reports, since=SINCE, until=UNTIL)
    with bench.warehouse.connection() as connection:
        connection.execute("DELETE FROM raw.insights_ad_daily WHERE (account_id, day) = (%s, %s)", [account, SINCE])
        connection.execute("UPDATE ops.slice SET digest = NULL")  # or the next pull finds nothing new

    def check() -> bool:
        named = dg.define_asset_job("check", dg.AssetSelection.checks(check_key("ad_daily")))
        defs = dg.Definitions(
            raw_assets(NEVER), asset_checks=[raw_checks], jobs=[named], resources={"platform": world.source}
        )
        ends = {"start": SINCE, "end": UNTIL}
        ranges = {f"dagster/asset_partition_range_{end}": account_day_key(account, day) for end, day in ends.items()}
        tags = {name: str(key) for name, key in ranges.items()}
        job = defs.resolve_job_def("check")
        result = job.execute_in_process(instance=world.instance, tags=tags, raise_on_error=False)
        return result.get_asset_check_evaluations()[0].passed

    assert not check()
    world.look()
    causes = "SELECT array_agg(cause) FROM ops.alert WHERE kind IN ('checks_failed', 'run_failed')"
    assert scalar(bench.warehouse, causes) == [f"checks_failed:{account}:ad_daily"]
    mail = next(mail for mail in world.box.received if "fails its checks" in mail["Subject"])
    text = mail.get_body(("plain",)).get_content()
    assert f"Kept out of the marts: {SINCE}" in text
    assert "To mend it:" in text
    world.told()
    bench.pull(since=SINCE, until=UNTIL, reports=reports, entities=False)
    check()
    world.look(1)
    world.look(11)
    assert any("[All clear]" in subject and "fails its checks" in subject for subject in world.told()[0])


def test_what_follows_from_a_refused_token_is_not_told_beside_it(world: World) -> None:
    bench = world.bench
    bench.pull(since=SINCE, until=UNTIL, reports=("account_daily",))
    bench.simulator.inject("token_expired")
    world.pull(account_ids(bench.simulator)[0])
    world.look()
    assert world.told()[0] == ["[Error] Meta refuses the access token"]
    stale = "SELECT count(*) FROM ops.alert WHERE kind = 'account_stale' AND resolved_at IS NULL"
    assert scalar(bench.warehouse, stale) == len(account_ids(bench.simulator))
    bench.simulator.reset()
    world.pull(account_ids(bench.simulator)[0])
    world.look(6)
    world.look(11)
    assert world.told()[0] == ["[All clear] Meta refuses the access token"]
    world.look(91)  # by now the pulls ought to have caught up
    assert world.told()[0] == [f"[Error] {len(account_ids(bench.simulator))} accounts have no complete yesterday"]


def test_a_long_wait_for_meta_is_told_and_a_short_one_is_not(world: World) -> None:
    account = account_ids(world.bench.simulator)[0]
    store = UsageStore(world.bench.warehouse)

    def block(minutes: float) -> None:
        now = world.alerting.moment
        until = now + timedelta(minutes=minutes)
        store.save(
            "account", str(account), "block", utilisation=100, regain_at=until, tier=None, detail={}, observed_at=now
        )

    block(5)
    world.look(1)
    assert world.told() == ([], [])
    block(45)
    world.look(1)
    (subject,), _ = world.told()
    assert subject.startswith(f"[Error] act_{account}: Meta answers no calls until")
    world.look(50)
    world.look(11)
    (clear,), _ = world.told()
    assert clear.startswith("[All clear]")
    # A limit that is nearly used up is told when it stays so.
    for _ in range(6):
        moment = world.alerting.moment
        store.save("app", "app", "app", utilisation=93, regain_at=None, tier=None, detail={}, observed_at=moment)
        world.look(5)
    assert world.told()[0] == []
    store.save(
        "app", "app", "app", utilisation=93, regain_at=None, tier=None, detail={}, observed_at=world.alerting.moment
    )
    world.look(5)
    assert world.told()[0] == ["[Warning] The app: 85 % of Meta's limit `app` is used"]


def test_a_token_that_will_expire_is_told_a_week_before_and_again_a_day_before(world: World) -> None:
    end = world.alerting.moment + timedelta(days=8)
    world.bench.simulator.post("tokens", {"value": "SIMULATOR", "expires_at": int(end.timestamp())})
    try:
        world.look()
        assert world.told() == ([], [])
        world.look(26 * 60)
        assert world.told()[0] == ["[Warning] The access token expires in 6 days"]
        world.alerting.moment = end - timedelta(hours=20)
        world.look()
        assert world.told()[0] == ["[Error] The access token expires in 20 hours"]
    finally:
        world.bench.simulator.post("tokens", {"value": "SIMULATOR"})
    world.look(6)
    world.look(11)
    (clear,), _ = world.told()
    assert clear.startswith("[All clear] The access token expires")


def test_two_sensors_at_once_send_one_message(world: World) -> None:
    world.bench.simulator.inject("token_expired")
    world.pull(account_ids(world.bench.simulator)[0])
    world.box.silent_seconds = 1.5  # long enough for all of them to look meanwhile
    threads = [threading.Thread(target=world.look_once) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mails, posts = world.told()
    assert (len(mails), len(posts)) == (1, 1)


def test_without_a_channel_each_cause_is_logged_once_and_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    settings = make_settings(world.bench.simulator, world.bench.folder)
    world.alerting = Alerting(settings, world.alerting.moment)
    world.bench.simulator.inject("token_expired")
    world.pull(account_ids(world.bench.simulator)[0])
    for minutes in (0, 1, 300, 1500):
        world.look(minutes)
    logged = [record for record in caplog.records if "Meta refuses the access token" in record.getMessage()]
    assert [record.levelname for record in logged] == ["WARNING"]
    assert scalar(world.bench.warehouse, "SELECT count(*) FROM ops.alert WHERE kind = 'token_refused'") == 1
    assert world.told() == ([], [])
