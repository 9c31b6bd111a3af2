"""What `clients.yml` declares beside accounts, as rows of the warehouse, and what is wrong with it.

What belongs here: putting experiments, custom metrics and exchange rates together. What does not: their rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from orchestration.clients.custom_metrics import check_custom_metrics, custom_metric_rows
from orchestration.clients.declared import Declarations, Rate
from orchestration.clients.exchange_rates import inline_rates, missing_targets, read_rates
from orchestration.clients.experiments import Owner, arm_rows, check_experiments, experiment_row
from orchestration.clients.models import ClientsFile
from orchestration.clients.problems import Finding, Place, Problem

Locate = Callable[[Place], int]


@dataclass
class Findings:
    """What is wrong with declarations, none of it fatal: in `clients.yml` by path, and in the file of rates."""

    here: list[Finding] = field(default_factory=list)
    elsewhere: list[Problem] = field(default_factory=list)


def declare(clients: ClientsFile, path: Path, line_of: Locate, today: date) -> tuple[Declarations, Findings]:
    """Reads the declarations of a valid file, and says what is wrong with them.

    Args:
        clients: The file.
        path: What messages call it; a relative path of rates starts at its folder.
        line_of: The line of a place.
        today: No account's day is later than this.
    """
    found, wrong = Declarations(), Findings()
    for number, client in enumerate(clients.clients):
        at: Place = ("clients", number)
        owner = Owner(client, clients, today)
        lines = {i: line_of((*at, "experiments", i)) for i in range(len(client.experiments))}
        for position, experiment, findings in check_experiments(owner, at, lines):
            wrong.here += findings
            place = f"{path.name}:{lines[position]}"
            found.experiments.append(experiment_row(owner, experiment, place, _words(findings)))
            if not findings:
                found.arms += arm_rows(owner, experiment)
        lines = {i: line_of((*at, "custom_metrics", i)) for i in range(len(client.custom_metrics))}
        for position, metric, findings in check_custom_metrics(client, at, lines):
            wrong.here += findings
            place = f"{path.name}:{lines[position]}"
            found.custom_metrics += custom_metric_rows(client, metric, place, _words(findings))
    found.exchange_rates = _rates(clients, path, line_of, wrong)
    return found, wrong


def _rates(clients: ClientsFile, path: Path, line_of: Locate, wrong: Findings) -> list[Rate]:
    declared = clients.exchange_rates
    rates: list[Rate] = []
    problem = None
    if isinstance(declared, str):
        rates, problem = read_rates(path.parent / declared)
    elif declared is not None:
        rates, problem = inline_rates(declared, path, lambda position: line_of(("exchange_rates", position)))
    if problem is not None:
        wrong.elsewhere.append(problem)
        return []
    missing = missing_targets((client.reporting_currency for client in clients.clients), rates)
    for number, client in enumerate(clients.clients):
        if client.reporting_currency in missing:
            what = f"client {client.id}: no exchange rate leads to {client.reporting_currency}, so nothing is converted"
            at = ("clients", number, "reporting_currency")
            wrong.here.append(Finding(at, what, "add rates under `exchange_rates`", fatal=False))
    return rates


def _words(findings: list[Finding]) -> str | None:
    """The findings of an entry as one text without the entry's name, which stands beside it."""
    texts = [f"{finding.what.partition(': ')[2]} ({finding.mend})" for finding in findings]
    return "; ".join(texts) or None
