"""Sentences about changes: what they say of numbers, and what they do not."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.formats import Formats
from dashboards.library import load
from dashboards.reports.compose import LONGEST_SUBJECT, subject_of
from dashboards.reports.model import Language, Order, Period
from dashboards.reports.pen import Pen, one_line
from dashboards.reports.periods import period_of
from dashboards.reports.sentences import change_lines, split_of
from dashboards.reports.summary import Campaign, Facts, Group, Summary
from dashboards.reports.words import LANGUAGES, words_of
from tests.dashboards.reports import world

PERIOD: Period = period_of("last_week", world.NOW.date())
SHARED = load().shared
Sums = tuple[float, float, float] | None


def pen(language: Language = "en") -> Pen:
    order = Order("weekly", "Weekly", "Acme", PERIOD, language=language)
    words = words_of(language)
    return Pen(order, Formats(SHARED, language, words=words.titles), words)


def row(sums: Sums) -> dict[str, Any] | None:
    if sums is None:
        return None
    return dict(zip(("spend", "revenue", "conversions"), map(Decimal, map(str, sums)), strict=True))


def total(rows: list[dict[str, Any] | None]) -> dict[str, Any]:
    held = [one for one in rows if one is not None]
    if not held:
        return {}
    found: dict[str, Any] = {key: sum(one[key] for one in held) for key in ("spend", "revenue", "conversions")}
    found["roas"] = found["revenue"] / found["spend"] if found["spend"] else None
    found["cpa"] = found["spend"] / found["conversions"] if found["conversions"] else None
    return found


def group(**campaigns: tuple[Sums, Sums]) -> Group:
    """Campaigns by name: sums of the period, and of the one before."""
    held = tuple(
        Campaign(1, number, name, "Shop", row(now), row(before))
        for number, (name, (now, before)) in enumerate(campaigns.items())
    )
    now, before = total([one.now for one in held]), total([one.before for one in held])
    return Group("EUR", ("Shop",), now, before, held, ())


def test_the_largest_parts_are_named_and_the_rest_is_counted() -> None:
    found = group(
        a=((500, 1500, 50), (100, 300, 10)),
        b=((100, 300, 10), (300, 900, 30)),
        c=((201, 600, 20), (200, 600, 20)),
        d=((202, 600, 20), (200, 600, 20)),
    )
    spend, roas, cpa = change_lines(found, pen())
    assert spend == (
        "Spend rose by €203.00 (+25.4%) to €1,003.00. The change came from “a” +€400.00; “b” −€200.00; 2 others +€3.00."
    )
    assert roas.startswith("ROAS fell from 3.00 to 2.99 (−0.3%). The change came from “")
    assert cpa.startswith("CPA rose from €10.00 to €10.03 (+0.3%).")


def test_a_part_of_a_ratio_says_what_it_is_made_of() -> None:
    found = group(
        better=((100, 500, 10), (100, 300, 10)),
        new=((50, 50, 1), None),
        gone=(None, (100, 100, 10)),
        idle=((60, 0, 0), (60, 60, 6)),
    )
    _, roas, cpa = change_lines(found, pen())
    assert "“better” +" in roas
    assert "(its own ROAS 3.00 → 5.00)" in roas
    assert "“new”" in cpa
    assert "(only in this period)" in cpa
    assert "“idle” +€" in cpa
    assert "(spend without a conversion)" in cpa


@pytest.mark.parametrize(
    ("campaigns", "said"),
    [
        (
            {"a": ((100, 300, 10), (100, 300, 10))},
            ["Spend stayed at €100.00.", "ROAS stayed at 3.00.", "CPA stayed at €10.00."],
        ),
        (
            {"a": ((0, 0, 0), (100, 300, 10))},
            ["Nothing was spent; in the period before it was €100.00.", "There is no ROAS", "There is no CPA"],
        ),
        (
            {"a": ((100, 300, 10), (0, 0, 0))},
            ["Spend was €100.00; in the period before nothing", "ROAS was 3.00; the period", "CPA was €10.00; the"],
        ),
        (
            {"a": ((100, 300, 10), None)},
            ["Spend: €100.00.", "ROAS: 3.00.", "CPA: €10.00.", "No numbers are held for the period before"],
        ),
        ({"a": (None, (100, 300, 10))}, ["No numbers are held for these days."]),
        ({}, ["No numbers are held for these days."]),
    ],
)
def test_what_cannot_be_compared_is_said(campaigns: dict[str, tuple[Sums, Sums]], said: list[str]) -> None:
    lines = change_lines(group(**campaigns), pen())
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))


def test_campaigns_of_one_name_are_told_apart() -> None:
    held = tuple(
        Campaign(account, 7, "Brand", f"Shop {account}", row((100 * account, 300, 10)), row((100, 300, 10)))
        for account in (2, 3)
    )
    found = Group("EUR", (), total([one.now for one in held]), total([one.before for one in held]), held, ())
    spend = change_lines(found, pen())[0]
    assert "“Brand – Shop 3” +€200.00; “Brand – Shop 2” +€100.00" in spend


def summary(*groups: Group) -> Summary:
    return Summary(groups, Facts((), (), (), None, (), (), ()), (), (), (), ())


def test_a_subject_has_the_headline() -> None:
    sells = group(a=((12345, 40000, 50), (10000, 30000, 10)))
    assert subject_of(summary(sells), pen()) == "Acme – week of Jun 1 – 7: ROAS 3.24 (+8.0%), spend €12,345"
    leads = replace(sells, now={**sells.now, "roas": None}, before={**sells.before, "roas": None})
    assert subject_of(summary(leads), pen()) == "Acme – week of Jun 1 – 7: CPA €246.90 (−75.3%), spend €12,345"
    assert subject_of(summary(group()), pen("de")).endswith(": keine Zahlen")


def test_a_subject_is_one_line_of_sensible_length() -> None:
    writer = replace(pen(), order=replace(pen().order, client="Acme\r\nBcc: all@example.com\u202e " + "x" * 300))
    subject = subject_of(summary(*[group(a=((12345, 40000, 50), None))] * 9), writer)
    assert subject.startswith("Acme Bcc: all@example.com x")
    assert len(subject) <= LONGEST_SUBJECT
    assert subject.isprintable()


AMOUNTS = st.one_of(st.just(0.0), st.floats(0, 1e6).map(lambda one: round(one, 2)))
WORLDS = st.dictionaries(
    st.text("ab<{%=\n\u202e", min_size=1, max_size=4),
    st.tuples(*[st.none() | st.tuples(AMOUNTS, AMOUNTS, AMOUNTS)] * 2),
    max_size=6,
)


@settings(deadline=None)
@given(WORLDS, st.sampled_from(LANGUAGES))
def test_every_world_can_be_told_in_one_line_each_and_without_causes(
    campaigns: dict[str, tuple[Sums, Sums]], language: Language
) -> None:
    lines = change_lines(group(**campaigns), pen(language))
    assert lines
    for line in lines:
        assert line == one_line(line)
        assert not re.search(r"because|caused|due to|weil|wegen|à cause|debido|porque|が原因|せいで", line)
    found = split_of(group(**campaigns), "roas")
    assert found is None or sum(part.total for part in found.parts) == found.change
