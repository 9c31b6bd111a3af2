"""From an order to a document: everything asked, everything said.

What belongs here: what stands where, and the subject. What does not: numbers (`dashboards.reports.summary`), sentences,
how any of it looks (`dashboards.reports.html` and others).
"""

from __future__ import annotations

from datetime import datetime

from dashboards.formats import Formats
from dashboards.model import Format
from dashboards.reports.asking import Asker
from dashboards.reports.document import Cell, Column, Document, Figure, Figures, Lines, Table
from dashboards.reports.events import event_lines, fact_pairs, note_lines
from dashboards.reports.pen import Pen, one_line, shortened
from dashboards.reports.sections import figure_of, shown_sections
from dashboards.reports.sentences import change_lines, split_of
from dashboards.reports.summary import METRICS, Group, Summary, summarised
from dashboards.reports.words import words_of

LONGEST_SUBJECT = 140
_LONGEST_CLIENT = 50


def composed(asker: Asker, now: datetime) -> Document:
    """Asks and writes everything that a report says.

    Args:
        asker: Of the order.
        now: With a time zone.

    Raises:
        ReportFailed: What the report is about could not be asked.
        DatabaseUnavailable: The database cannot be reached.
    """
    order, words = asker.order, words_of(asker.order.language)
    formats = Formats(asker.library.shared, order.language, order.zone, words.titles)
    pen = Pen(order, formats, words)
    summary = summarised(asker)
    several = len(summary.groups) > 1
    shown = shown_sections(order.sections, asker, formats, pen, summary.currencies)
    heading = words.say("heading_changes")
    changes = [Lines(_title(heading, group, several, pen), tuple(change_lines(group, pen))) for group in summary.groups]
    client = one_line(order.client)
    return Document(
        language=order.language,
        subject=subject_of(summary, pen),
        title=one_line(order.title),
        client=client,
        days=pen.days(order.period.first, order.period.last),
        compared=pen.days(order.period.before_first, order.period.before_last),
        greeting=tuple(filter(None, map(one_line, (order.words or "").splitlines()))),
        figures=tuple(_figures(group, several, pen) for group in summary.groups),
        changes=tuple(changes),
        events=Lines(words.say("heading_events"), tuple(event_lines(summary, pen))),
        notes=tuple(note_lines(summary, pen)),
        details=tuple(_details(group, several, pen) for group in summary.groups if group.campaigns),
        parts=tuple(shown.parts),
        facts=tuple(fact_pairs(summary, pen)),
        problems=tuple(shown.problems),
        footer=words.say("footer", moment=formats.text(now, "datetime"), zone=formats.zone_name()),
        link=order.link if (order.link or "").startswith(("https://", "http://")) else None,
    )


def subject_of(summary: Summary, pen: Pen) -> str:
    """One line: whose, which days, ROAS (or CPA, where there is no revenue) and spend, each against the period before.

    Args:
        summary: The numbers.
        pen: Writes words.
    """
    words = pen.words
    client = shortened(one_line(pen.order.client), _LONGEST_CLIENT)
    period = pen.period(pen.order.period)
    told = []
    for group in summary.groups:
        if not group.has_numbers:
            continue
        ratio = next((key for key in ("roas", "cpa") if group.now.get(key) is not None), None)
        told += [_headline(group, key, pen) for key in (ratio, "spend") if key and group.now.get(key) is not None]
    if not told:
        return _plain(words.say("subject_without_numbers", client=client, period=period))
    subject = words.say("subject", client=client, period=period, headline=words.say("list_headline").join(told))
    return shortened(_plain(subject), LONGEST_SUBJECT)


def _plain(subject: str) -> str:
    """Reason: some mail programs show a square for the narrow spaces of numbers and days."""
    return " ".join(one_line(subject).split())


def _headline(group: Group, key: str, pen: Pen) -> str:
    now, before = group.now[key], group.before.get(key)
    name = pen.words.say("inline_spend") if key == "spend" else pen.metric(key)
    value = pen.value(key, now, group.currency)
    change = pen.formats.change(now, before)
    if key == "spend" or change is None:
        return pen.words.say("headline_metric_alone", metric=name, value=value)
    written = pen.formats.change_text(change)
    return pen.words.say("headline_metric", metric=name, value=value, change=written)


def _title(title: str, group: Group, several: bool, pen: Pen) -> str:
    return pen.words.say("in_currency", title=title, currency=str(group.currency)) if several else title


def _figures(group: Group, several: bool, pen: Pen) -> Figures:
    found: list[Figure] = []
    for key, (form, good) in METRICS.items():
        now = Cell(pen.value(key, group.now.get(key), group.currency), group.now.get(key), group.currency)
        before = None
        if group.has_numbers_before:
            value = group.before.get(key)
            before = Cell(pen.value(key, value, group.currency), value, group.currency)
        found.append(figure_of(pen.metric(key), now, before, form, good, pen.formats))
    for own in group.own_metrics:
        cells = [Cell(pen.amount(one, own.form, own.currency), one, own.currency) for one in (own.now, own.before)]
        is_one = own.currency in (None, group.currency)
        title = own.label if is_one else pen.words.say("in_currency", title=own.label, currency=str(own.currency))
        found.append(figure_of(one_line(title), cells[0], cells[1], own.form, own.good, pen.formats))
    accounts = pen.words.say("list").join(map(one_line, group.accounts))
    note = pen.words.say("accounts_in", currency=str(group.currency), accounts=accounts) if several else ""
    return Figures(_title(pen.words.say("heading_summary"), group, several, pen), tuple(found), note)


def _details(group: Group, several: bool, pen: Pen) -> Table:
    """Every campaign with its sums and with what it contributed; the parts of a column sum up to the change."""
    roas, cpa = (
        {part.key: part for part in split.parts} if (split := split_of(group, metric)) is not None else {}
        for metric in ("roas", "cpa")
    )
    columns: list[tuple[str, Format]] = [
        ("column_campaign", "text"), ("column_account", "text"), ("metric_spend", "money"), ("column_before", "money"),
        ("column_spend_change", "money"), ("column_roas_rate", "multiple"), ("column_roas_mix", "multiple"),
        ("column_cpa_rate", "money"), ("column_cpa_mix", "money"),
    ]  # fmt: skip
    rows = []
    for one in group.campaigns:
        now, before = (row["spend"] if row is not None else None for row in (one.now, one.before))
        key = (one.account_id, one.campaign_id)
        values = [one.name, one.account, now, before, (now or 0) - (before or 0)]
        for parts in (roas, cpa):
            part = parts.get(key)
            values += [None, None] if part is None else [float(part.rate), float(part.mix)]
        rows.append(
            tuple(
                Cell(
                    one_line(pen.formats.text(value, form, group.currency)),
                    value,
                    group.currency if form == "money" else None,
                )
                for value, (_, form) in zip(values, columns, strict=True)
            )
        )
    rows.sort(key=lambda cells: abs(cells[4].value), reverse=True)
    heads = tuple(Column(pen.words.say(key), form, form != "text") for key, form in columns)
    return Table(_title(pen.words.say("heading_campaigns"), group, several, pen), heads, tuple(rows))
