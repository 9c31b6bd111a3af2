"""Whether custom metrics make sense, and their rows for the warehouse.

What belongs here: names against the vocabulary. What does not: computing a metric (dbt).

A metric with a problem keeps its row: the marts list it as invalid, with the problem's words, and leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from dashboards.checked_yaml import near
from orchestration.clients.declared import CustomMetric
from orchestration.clients.models import Client
from orchestration.clients.problems import Finding, Place
from orchestration.clients.vocabulary import FORMATS, MEASURES, RESERVED


def check_custom_metrics(
    client: Client, path: Place, lines: Mapping[int, int]
) -> Iterator[tuple[int, CustomMetric, list[Finding]]]:
    """Every custom metric of a client once, with its position and what is wrong with it.

    Args:
        client: Whose they are.
        path: Of the client's entry in the file.
        lines: The line of each metric by position, to name the other one of two with the same name.
    """
    places: dict[str, list[int]] = {}
    for position, metric in enumerate(client.custom_metrics):
        places.setdefault(metric.name, []).append(position)
    for first, *others in places.values():
        metric = client.custom_metrics[first]
        listed = " and ".join(str(lines[position]) for position in (first, *others))
        what = f"the name is declared on lines {listed}, so none of them is computed"
        found = [
            _finding((*path, "custom_metrics", other, "name"), metric, what, "rename all but one, or remove them")
            for other in others
        ]
        yield first, metric, [*found, *_check(metric, (*path, "custom_metrics", first))]


def custom_metric_rows(client: Client, metric: CustomMetric, place: str, problem: str | None) -> list[dict[str, Any]]:
    """Rows of `ops.custom_metric`: one for each account of the client."""
    return [
        {
            "account_id": account.id,
            "metric": metric.name,
            "label": metric.label or metric.name.replace("_", " ").capitalize(),
            "numerator": metric.numerator,
            "denominator": metric.denominator,
            "multiplier": metric.multiplier if metric.multiplier > 0 else Decimal(1),
            "format": metric.format if metric.format in FORMATS else "number",
            "is_lower_better": metric.lower_is_better,
            "place": place,
            "problem": problem,
        }
        for account in client.accounts
    ]


def _check(metric: CustomMetric, at: Place) -> Iterator[Finding]:
    if metric.name in RESERVED:
        what = "the name means something else in every mart"
        yield _finding((*at, "name"), metric, what, f"choose another one, such as my_{metric.name}")
    for key in ("numerator", "denominator"):
        column = getattr(metric, key)
        if column not in MEASURES:
            mend = near(column, MEASURES) or f"write one of {', '.join(MEASURES)}"
            yield _finding((*at, key), metric, f"{key} `{column}` is no measure that can be summed", mend)
    if metric.numerator == metric.denominator:
        what = f"numerator and denominator are both `{metric.numerator}`, so it is always the same"
        yield _finding((*at, "denominator"), metric, what, "divide by something else")
    if metric.multiplier <= 0:
        what = f"multiplier is {metric.multiplier}, and must be above 0"
        yield _finding((*at, "multiplier"), metric, what, "write 1, or 1000 for a figure per thousand")
    if metric.format not in FORMATS:
        listed = f"write one of {', '.join(FORMATS)}"
        yield _finding(
            (*at, "format"), metric, f"`{metric.format}` is no format", near(metric.format, FORMATS) or listed
        )


def _finding(path: Place, metric: CustomMetric, what: str, mend: str) -> Finding:
    return Finding(path, f"custom metric {metric.name}: {what}", mend, fatal=False)
