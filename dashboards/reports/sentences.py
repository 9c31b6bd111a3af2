"""What changed, and where in the numbers it can be found.

What belongs here: sentences about spend, ROAS and CPA, made of arithmetic. What does not: the arithmetic
(`dashboards.reports.contributions`), what happened besides (`dashboards.reports.events`), words (`catalogues/`).

A sentence says where a change came from; it never says why, which no sum can know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from dashboards.model import Format
from dashboards.reports.contributions import Pair, Part, Split, split_ratio, split_sum
from dashboards.reports.pen import Pen
from dashboards.reports.summary import Campaign, Group, Row

RATIOS: Mapping[str, tuple[str, str]] = {"roas": ("revenue", "spend"), "cpa": ("spend", "conversions")}
"""Numerator and denominator of the ratios that are split."""
MOST_NAMED = 3
"""Campaigns that a sentence names."""
SMALLEST_SHARE = Fraction(1, 20)
"""Of all that moved; what is less is counted among the others."""

Key = tuple[int, int]


def change_lines(group: Group, pen: Pen) -> list[str]:
    """A paragraph each about spend, ROAS and CPA of accounts with one currency."""
    if not group.has_numbers:
        return [pen.words.say("no_numbers")]
    lines = [_spend(group, pen), *(_ratio(group, pen, metric) for metric in RATIOS)]
    if not group.has_numbers_before:
        lines.append(pen.words.say("no_numbers_before"))
    return lines


def split_of(group: Group, metric: str) -> Split[Key] | None:
    """The change of a ratio by campaign; None where one of the periods has none.

    Args:
        group: Accounts with one currency.
        metric: `roas` or `cpa`.
    """
    if group.now.get(metric) is None or group.before.get(metric) is None:
        return None
    numerator, denominator = RATIOS[metric]
    return split_ratio(
        [
            Pair(
                (one.account_id, one.campaign_id),
                _sum(one.now, numerator),
                _sum(one.now, denominator),
                _sum(one.before, numerator),
                _sum(one.before, denominator),
            )
            for one in group.campaigns
        ]
    )


def _spend(group: Group, pen: Pen) -> str:
    now, before = _sum(group.now, "spend"), _sum(group.before, "spend")
    written = pen.value("spend", now, group.currency)
    written_before = pen.value("spend", before, group.currency)
    if not group.has_numbers_before:
        return f"{pen.metric('spend')}: {written}."
    if now and not before:
        return pen.words.say("spend_began", now=written)
    if before and not now:
        return pen.words.say("spend_ended", before=written_before)
    if written == written_before:
        return pen.words.say("spend_same", now=written)
    said = pen.words.say(
        "spend_up" if now > before else "spend_down",
        amount=pen.value("spend", abs(now - before), group.currency),
        change=pen.change(now, before),
        now=written,
    )
    parts = split_sum(
        ((one.account_id, one.campaign_id), _sum(one.now, "spend"), _sum(one.before, "spend"))
        for one in group.campaigns
    )
    return pen.join(said, _came_from(parts, group, pen, "money"))


def _ratio(group: Group, pen: Pen, metric: str) -> str:
    now, before = group.now.get(metric), group.before.get(metric)
    if now is None:
        return pen.words.say(f"{metric}_none")
    written = pen.value(metric, now, group.currency)
    split = split_of(group, metric)
    if before is None or split is None:
        if group.has_numbers_before:
            return pen.words.say(f"{metric}_alone", now=written)
        return f"{pen.metric(metric)}: {written}."
    written_before = pen.value(metric, before, group.currency)
    if written == written_before:
        return pen.words.say(f"{metric}_same", now=written)
    direction = "up" if now > before else "down"
    change = pen.change(now, before)
    said = pen.words.say(f"{metric}_{direction}", before=written_before, now=written, change=change)
    campaigns = {(one.account_id, one.campaign_id): one for one in group.campaigns}
    how = {part.key: _how(part, campaigns[part.key], group, pen, metric) for part in split.parts[:MOST_NAMED]}
    totals = [(part.key, part.total) for part in split.parts]
    form: Format = "multiple" if metric == "roas" else "money"
    return pen.join(said, _came_from(totals, group, pen, form, how))


def _came_from(
    parts: Sequence[tuple[Key, Fraction]],
    group: Group,
    pen: Pen,
    form: Format,
    how: Mapping[Key, str] | None = None,
) -> str:
    """The largest parts by name and the rest together; what is said sums up to the change."""
    moved = [(key, part) for key, part in parts if part]
    whole = sum((abs(part) for _, part in moved), Fraction(0))
    named = [(key, part) for key, part in moved[:MOST_NAMED] if abs(part) >= SMALLEST_SHARE * whole]
    names = campaign_names(group, pen)
    told = []
    for key, part in named:
        amount = pen.signed(part, form, group.currency)
        if how is None:
            told.append(pen.words.say("part", name=names[key], amount=amount))
        else:
            told.append(pen.words.say("part_because", name=names[key], amount=amount, how=how[key]))
    rest = moved[len(named) :]
    if rest:
        others = pen.words.count("others", len(rest), pen.integer(len(rest)))
        amount = pen.signed(sum((part for _, part in rest), Fraction(0)), form, group.currency)
        told.append(pen.words.say("part", name=others, amount=amount))
    return pen.words.say("came_from", parts=pen.words.say("list").join(told))


def _how(part: Part[Key], campaign: Campaign, group: Group, pen: Pen, metric: str) -> str:
    """Which of a campaign's numbers its part is made of: its own ratio, or its share of the denominator."""
    if campaign.before is None:
        return pen.words.say("how_new")
    if campaign.now is None:
        return pen.words.say("how_gone")
    numerator, denominator = RATIOS[metric]
    now, before = _sum(campaign.now, denominator), _sum(campaign.before, denominator)
    if metric == "cpa" and not now and _sum(campaign.now, numerator):
        return pen.words.say("how_no_conversion")
    if now and before and abs(part.rate) >= abs(part.mix):
        return pen.words.say(
            "how_ratio",
            metric=pen.metric(metric),
            before=pen.value(metric, _sum(campaign.before, numerator) / before, group.currency),
            now=pen.value(metric, _sum(campaign.now, numerator) / now, group.currency),
        )
    return pen.words.say(
        f"how_share_{denominator}",
        before=pen.share(before / _sum(group.before, denominator)),
        now=pen.share(now / _sum(group.now, denominator)),
    )


def campaign_names(group: Group, pen: Pen) -> dict[Key, str]:
    """Names as sentences write them; those that two campaigns share have their account's behind them."""
    shared = Counter(one.name for one in group.campaigns)
    found = {}
    for one in group.campaigns:
        name = one.name if shared[one.name] == 1 else f"{one.name} – {one.account}"
        found[(one.account_id, one.campaign_id)] = pen.name(name)
    return found


def _sum(row: Row | None, column: str) -> Fraction:
    """A campaign's part of a sum; nothing delivered is nothing added."""
    value = row.get(column) if row is not None else None
    return Fraction(value) if value is not None else Fraction(0)
