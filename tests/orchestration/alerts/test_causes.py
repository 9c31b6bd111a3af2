"""From facts and ended runs to causes, and which of them share a message."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.budget import percent_used
from orchestration.alerts.causes import (
    GRACE,
    AccountPulls,
    FailedCheck,
    Meter,
    Token,
    failed_checks,
    stale_accounts,
    stale_today,
    token_causes,
    usage_causes,
)
from orchestration.alerts.failures import EndedRun, cause_of, happened, message_and_mend
from orchestration.alerts.grouping import messages
from orchestration.alerts.model import Account, Alert, Cause, Event, Kind, label
from orchestration.alerts.policy import explained
from warehouse.ops import HeldDay
from warehouse.ops.alerts import Success

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOP = Account(1, "Shop", "Client")
ZONES = ["Pacific/Kiritimati", "Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "Pacific/Pago_Pago", "No/Such"]


def pulled(zone: str, days: dict[date, datetime]) -> AccountPulls:
    return AccountPulls(SHOP, zone, days)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - hypothesis asks for naive ones
    st.sampled_from(ZONES[:-1]),
    st.integers(0, 5),
)
def test_an_account_is_stale_when_its_own_yesterday_is_missing_after_the_grace(
    moment: datetime, zone: str, days_back: int
) -> None:
    now = moment.replace(tzinfo=UTC)
    local = now.astimezone(ZoneInfo(zone))
    newest = local.date() - timedelta(days=days_back)
    after_its_end = datetime.combine(newest + timedelta(days=1), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    found = list(stale_accounts([pulled(zone, {newest: after_its_end + timedelta(minutes=1)})], now))
    midnight = datetime.combine(local.date(), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    allowed = 2 if now - midnight < GRACE else 1
    assert bool(found) == (days_back > allowed)
    if found:
        assert found[0].severity == ("error" if days_back - allowed > 1 else "warning")
        assert (found[0].key, found[0].account_id) == ("account_stale:1", 1)


def test_a_day_that_was_pulled_before_its_end_is_not_complete() -> None:
    """At noon UTC it is the 20th in Berlin; the 19th was last pulled in its own evening."""
    evening = datetime(2026, 11, 19, 18, tzinfo=UTC)
    days = {date(2026, 11, 18): evening, date(2026, 11, 19): evening}
    (cause,) = stale_accounts([pulled("Europe/Berlin", days)], NOW)
    assert cause.title == "Shop (act_1), Client: no complete day since 2026-11-18"
    assert "act_1" in cause.mend


def test_an_account_that_was_never_pulled_or_only_just_is_not_stale() -> None:
    first = {date(2026, 11, 20): NOW - timedelta(minutes=5)}
    assert not list(stale_accounts([pulled("UTC", {}), pulled("UTC", first)], NOW))
    (cause,) = stale_accounts([pulled("UTC", first)], NOW + timedelta(hours=4))
    assert "no complete day yet" in cause.title
    assert list(stale_accounts([pulled("No/Such", {date(2026, 11, 1): NOW})], NOW))


@pytest.mark.parametrize(
    ("hour", "minute", "last", "is_stale"),
    [
        (12, 0, (11, 1), False),
        (12, 0, (10, 59), True),
        (0, 59, None, False),  # the day is young, and yesterday's pulls do not count
        (1, 1, None, True),
    ],
)
def test_the_current_day_is_stale_after_an_hour(
    hour: int, minute: int, last: tuple[int, int] | None, is_stale: bool
) -> None:
    now = datetime(2026, 11, 20, hour, minute, tzinfo=UTC)
    today = {date(2026, 11, 20): datetime(2026, 11, 20, *last, tzinfo=UTC)} if last else {}
    today[date(2026, 11, 19)] = now
    watched = AccountPulls(SHOP, "UTC", {}, today, is_watched_today=True)
    assert bool(list(stale_today([watched], now))) == is_stale
    assert not list(stale_today([AccountPulls(SHOP, "UTC", {}, today)], now))


def test_everything_that_fails_in_a_report_of_an_account_is_one_cause() -> None:
    held = [HeldDay(1, date(2026, 11, n), "ad_daily", "keys", "Keys are missing.", NOW) for n in (1, 2)]
    failed = [FailedCheck(1, "ad_daily", "Rows are missing.", "pull again"), FailedCheck(2, "entities", "No.", "do")]
    first, second = failed_checks(held, failed, {1: SHOP})
    assert (first.key, second.key) == ("checks_failed:1:ad_daily", "checks_failed:2:entities")
    assert first.detail == "Kept out of the marts: 2026-11-01 to 2026-11-02. Keys are missing. Rows are missing."
    assert (first.mend, first.severity) == ("pull again", "error")
    assert first.title == "Shop (act_1), Client: ad_daily fails its checks"


@pytest.mark.parametrize(
    ("left", "severity"),
    [(timedelta(days=8), None), (timedelta(days=7), "warning"), (timedelta(days=1), "error"), (-timedelta(1), "error")],
)
def test_a_token_that_expires(left: timedelta, severity: str | None) -> None:
    found = [cause.severity for cause in token_causes(Token(ends_at=NOW + left), NOW)]
    assert found == ([severity] if severity else [])
    assert not list(token_causes(Token(), NOW))


def test_limits_that_are_used_up_or_closed() -> None:
    meters = [
        Meter(None, "app", 79.0, NOW),
        Meter(1, "score", 85.0, NOW),
        Meter(2, "insights", 95.0, NOW),
        Meter(2, "block", 0.0, NOW, NOW + timedelta(minutes=45)),
        Meter(3, "block", 0.0, NOW, NOW + timedelta(minutes=9)),
        Meter(4, "block", 0.0, NOW - timedelta(hours=1), NOW),
    ]
    first, second = usage_causes(meters, {1: SHOP}, NOW)
    assert (first.key, first.severity) == ("api_usage:1", "warning")
    assert first.title == "Shop (act_1), Client: 85 % of Meta's limit `score` is used"
    assert (second.key, second.severity) == ("api_usage:2", "error")
    assert "until 2026-11-20 12:45 UTC" in second.title
    assert "insights 95 %" in second.detail


def test_a_limit_drains_while_nobody_calls() -> None:
    """The score within 5 minutes, others within an hour, and all of it when Meta says it is reset."""
    assert percent_used("score", 90, 1000, {}, 1150) == pytest.approx(40)
    assert percent_used("insights", 90, 1000, {}, 2800) == pytest.approx(40)
    assert percent_used("insights", 90, 1000, {"drain": 0.5}, 2800) == pytest.approx(65)
    assert percent_used("insights", 90, 1000, {"reset_at": 1100}, 1200) == 0
    assert percent_used("score", 90, 1000, {}, 9999) == 0


def run(subject: str = "daily|act_1", error: str = "PartsFailed", **changes: object) -> EndedRun:
    values = {"account_id": 1, "error_kind": error, "text": "It broke. Mend: glue it."} | changes
    return EndedRun("r1", "daily", subject, False, NOW, **values)  # type: ignore[arg-type]


def test_runs_that_fail_alike_have_one_cause_and_a_refused_token_has_one_for_all_jobs() -> None:
    one, other = cause_of(run()), cause_of(run("daily|act_2", account_id=2))
    assert one.key == other.key == "run_failed:daily:PartsFailed"
    assert (one.title, one.detail, one.mend) == ("daily fails", "It broke.", "glue it")
    assert one.samples.keys() != other.samples.keys()
    token = cause_of(run(error="CredentialError"))
    assert (token.key, token.kind) == ("token_refused", Kind.TOKEN_REFUSED)


def test_failed_checks_of_raw_data_are_told_by_the_days_they_hold_and_successes_end_causes() -> None:
    check = run(step="raw_checks", error="DagsterAssetCheckFailedError")
    other = run(step="elsewhere", error="DagsterAssetCheckFailedError")
    good = EndedRun("r2", "daily", "daily|act_1", True, NOW, repeats=frozenset({"r1"}))
    first, second = happened([check, other, good])
    assert isinstance(first, Cause)
    assert second == Success("daily|act_1", frozenset({"r1"}))


def test_texts_come_apart_where_the_mend_begins() -> None:
    assert message_and_mend("A: Mend: no. B. Mend: do it.") == ("A: Mend: no. B.", "do it")
    assert message_and_mend("Only this.") == ("Only this.", "")
    long, _ = message_and_mend("x" * 5000)
    assert len(long) == 1000


def alert(key: str, severity: str = "error", account: int | None = None, **changes: object) -> Alert:
    cause = Cause(key, key.split(":")[0], severity, key, account_id=account)  # type: ignore[arg-type]
    return Alert(1, cause, NOW, NOW, **changes)  # type: ignore[arg-type]


def test_causes_of_one_sort_share_a_message_and_the_worst_comes_first() -> None:
    due = [
        (alert("account_stale:1", "warning", 1), Event.OPENED),
        (alert("run_failed:daily:PartsFailed"), Event.OPENED),
        (alert("account_stale:2", "error", 2), Event.OPENED),
        (alert("run_failed:tick:PartsFailed"), Event.OPENED),
        (alert("run_failed:tick:TransformError"), Event.OPENED),
        (alert("account_stale:3", "error", 3), Event.ALL_CLEAR),
        (alert("token_expires", "warning"), Event.OPENED),
    ]
    found = messages(due, NOW, timedelta(hours=4))
    keys = [[one.cause.key for one in message.alerts] for message in found]
    assert keys == [
        ["account_stale:2", "account_stale:1"],
        ["run_failed:daily:PartsFailed", "run_failed:tick:PartsFailed"],
        ["run_failed:tick:TransformError"],
        ["token_expires"],
        ["account_stale:3"],
    ]
    assert [message.quiet for message in found] == [timedelta(hours=4)] * 4 + [None]


def test_what_follows_from_another_cause_is_known_to() -> None:
    stale, other = alert("account_stale:1", account=1), alert("account_stale:2", account=2)
    today = alert("today_stale:1", account=1)
    lost = alert("run_failed:daily:DatabaseUnavailable")
    keys = {one.cause.key for one in (stale, other, today)}
    assert explained([stale, other, today], NOW) == {"today_stale:1"}
    assert explained([stale, other, today, alert("token_refused")], NOW) == keys
    assert explained([stale, other, alert("api_usage:1", account=1)], NOW) == {"account_stale:1"}
    assert explained([stale, other, alert("api_usage:app")], NOW) == {"account_stale:1", "account_stale:2"}
    assert explained([stale, alert("api_usage:app", "warning")], NOW) == set()
    assert explained([lost, stale, alert("warehouse_failed")], NOW) == {lost.cause.key, stale.cause.key}
    failed = Alert(1, cause_of(run()), NOW, NOW)
    assert explained([stale, other, failed], NOW) == {"account_stale:1"}
    ended = alert("token_refused", resolved_at=NOW - timedelta(minutes=89), resolution="gone")
    assert explained([stale, ended], NOW) == {"account_stale:1"}
    assert explained([stale, ended], NOW + timedelta(minutes=2)) == set()


def test_accounts_are_called_as_people_know_them() -> None:
    accounts = {1: SHOP, 2: Account(2, "Solo", "Solo"), 3: Account(3)}
    names = [label(number, accounts) for number in (1, 2, 3, 4)]
    assert names == ["Shop (act_1), Client", "Solo (act_2)", "act_3", "act_4"]
