"""What happened in the days of a report, and what is to be known about its numbers.

What belongs here: sentences about tests, budgets, alerts, creatives and the state of the data. What does not: what
changed (`dashboards.reports.sentences`), words (`catalogues/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from dashboards.reports.pen import Pen, one_line, shortened
from dashboards.reports.periods import day_count, lengths_differ
from dashboards.reports.summary import METRICS, Row, Summary

_MOST_ALERTS = 3
_MOST_CREATIVES = 3
_LONGEST_ALERT = 160
_OBSERVATIONAL = "observational"


def event_lines(summary: Summary, pen: Pen) -> list[str]:
    """A sentence for each thing that happened; one that says so if nothing did."""
    lines = [_test(row, pen) for row in summary.tests]
    lines += [_budget(row, pen) for row in summary.budgets if row["pacing_status"] in ("over", "under")]
    lines += _alerts(summary, pen)
    lines += _fatigue(summary, pen)
    return lines or [pen.words.say("no_events")]


def note_lines(summary: Summary, pen: Pen) -> list[str]:
    """What must be known before the numbers are believed."""
    facts, period = summary.facts, pen.order.period
    lines = []
    if facts.immature:
        lines.append(_count(pen, "immature", facts.immature))
    if facts.unreconciled:
        lines.append(_count(pen, "unreconciled", facts.unreconciled))
    if facts.empty and any(group.has_numbers for group in summary.groups):
        lines.append(_count(pen, "empty_days", facts.empty))
    if lengths_differ(period):
        now, before = day_count(period.first, period.last), day_count(period.before_first, period.before_last)
        said = pen.words.say("lengths_differ", now=pen.integer(now), before=pen.integer(before))
        lines += [said, pen.words.say("cards_compare_days")]
    if facts.is_rate_missing:
        lines.append(pen.words.say("rates_missing"))
    if facts.unknown_accounts:
        accounts = pen.words.say("list").join(facts.unknown_accounts)
        lines.append(pen.words.say("unknown_accounts", accounts=accounts))
    return lines


def fact_pairs(summary: Summary, pen: Pen) -> list[tuple[str, str]]:
    """Titles and values about the numbers; what is not known is left out."""
    facts, period, words = summary.facts, pen.order.period, pen.words
    separator = words.say("list")
    found = {
        "fact_period": pen.days(period.first, period.last),
        "fact_compared": pen.days(period.before_first, period.before_last),
        "fact_accounts": separator.join(map(one_line, facts.accounts)),
        "fact_currency": _currency(summary, pen),
        "fact_zone": separator.join(facts.zones),
        "fact_attribution": separator.join(facts.attribution),
        "fact_data_as_of": f"{pen.formats.text(facts.data_as_of, 'datetime')} ({pen.formats.zone_name()})"
        if facts.data_as_of
        else "",
        "fact_immature": pen.some_days(facts.immature) if facts.immature else words.say("all_final"),
        "fact_unreconciled": pen.some_days(facts.unreconciled) if facts.unreconciled else words.say("all_add_up"),
    }
    if not any(group.has_numbers for group in summary.groups):
        del found["fact_immature"], found["fact_unreconciled"]
    return [(words.say(key), value) for key, value in found.items() if value]


def _currency(summary: Summary, pen: Pen) -> str:
    if len(summary.groups) > 1:
        return pen.words.say("default_currency")
    currency = summary.groups[0].currency or ""
    return pen.words.say("converted_currency", currency=currency) if summary.facts.is_converted else currency


def _count(pen: Pen, key: str, days: tuple[date, ...]) -> str:
    return pen.words.count(key, len(days), pen.integer(len(days)), days=pen.some_days(days))


def _test(row: Row, pen: Pen) -> str:
    key = {"winner": "test_winner", "cheaper": "test_cheaper"}.get(row["verdict"], "test_no_difference")
    metric = str(row["primary_metric"])
    values: Mapping[str, str] = {
        "test": pen.name(str(row["experiment_name"])),
        "winner": pen.name(str(row["arm_name"] if row["is_arm_better"] else row["control_name"])),
        "metric": pen.metric(metric) if metric in METRICS else metric.upper(),
        "arm": pen.name(str(row["arm_name"])),
        "control": pen.name(str(row["control_name"])),
        "effect": _effect(pen, row["effect"]),
        "interval": pen.words.say("until", low=_effect(pen, row["effect_low"]), high=_effect(pen, row["effect_high"])),
    }
    said = pen.words.say(key, **values)
    if str(row["kind"]).startswith(_OBSERVATIONAL):
        said = pen.join(said, pen.words.say("test_observational"))
    return said


def _effect(pen: Pen, effect: float | None) -> str:
    # Reason: a relative effect of 1 against 0 is the effect itself, with its sign.
    return pen.change(1 + effect, 1) if effect is not None else "–"


def _budget(row: Row, pen: Pen) -> str:
    currency = row["currency"]
    return pen.words.say(
        f"budget_{row['pacing_status']}",
        account=one_line(str(row["account_name"])),
        spent=pen.amount(row["spend_to_date"], "money", currency),
        budget=pen.amount(row["monthly_budget"], "money", currency),
        day=pen.day(row["day"]),
        ratio=pen.formats.text(row["pacing_ratio"], "percent"),
        projected=pen.amount(row["projected_month_spend"], "money", currency),
    )


def _alerts(summary: Summary, pen: Pen) -> list[str]:
    lines = [
        pen.words.say(
            "alert_open" if row["is_open"] else "alert_over",
            day=pen.day(row["opened_at"].astimezone(pen.order.zone).date()),
            account=one_line(str(row["account_name"])),
            title=shortened(one_line(str(row["title"])), _LONGEST_ALERT).rstrip("."),
        )
        for row in summary.alerts[:_MOST_ALERTS]
    ]
    more = len(summary.alerts) - len(lines)
    return [*lines, pen.words.count("more_alerts", more, pen.integer(more))] if more else lines


def _fatigue(summary: Summary, pen: Pen) -> list[str]:
    """A sentence for each currency, since money of two is never one sum."""
    lines = []
    for currency in sorted({row["currency"] for row in summary.fatigue}):
        rows = [row for row in summary.fatigue if row["currency"] == currency]
        spend = pen.amount(sum(row["trailing_spend"] for row in rows), "money", currency)
        names = [pen.name(str(row["creative_name"])) for row in rows[:_MOST_CREATIVES]]
        more = len(rows) - len(names)
        if more:
            names.append(pen.words.count("and_more", more, pen.integer(more)))
        listed = pen.words.say("list").join(names)
        lines.append(pen.words.count("fatigue", len(rows), pen.integer(len(rows)), spend=spend, names=listed))
    return lines
