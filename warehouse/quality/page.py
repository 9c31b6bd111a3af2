"""Data docs: what a check found, as one local page.

What belongs here: the page. What does not: checking, keeping results.

Great Expectations renders pages of its own, but they fetch styles, scripts and fonts from four hosts and are
blank boxes without them. This page is made from the same results, asks nobody for anything, and says per account
what is wrong and what to do. Beside it lie Great Expectations' results as JSON, statement by statement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path

from warehouse.quality.model import Outcome, QualityResult
from warehouse.quality.rules import days_in_words
from warehouse.quality.store import by_suite

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c0392b; --warn: #b9770e; --good: #1e8449; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.note { opacity: .75; margin-top: .2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.state { text-align: center; white-space: nowrap; }
.error { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; }
.good { color: var(--good); }
details { border-bottom: 1px solid var(--line); padding: .35rem 0; } summary { cursor: pointer; }
details table { margin: .4rem 0 .8rem; font-size: .93em; }
.mend { opacity: .85; } code { font-size: .92em; } .examples { margin: .2rem 0 0; padding-left: 1.2rem; }
"""


def write_page(result: QualityResult, directory: Path, names: Mapping[int, str] | None = None) -> Path:
    """Writes `index.html` and a JSON file per suite, replacing those of the check before.

    Args:
        result: What to show.
        directory: Where to; made if it is not there.
        names: Names of accounts, for people.

    Returns:
        The page.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for suite, documents in result.documents.items():
        text = json.dumps(documents, indent=1, default=str, ensure_ascii=False)
        (directory / f"{suite}.json").write_text(text, encoding="utf-8")
    page = directory / "index.html"
    page.write_text(_page(result, names or {}), encoding="utf-8")
    return page


def _page(result: QualityResult, names: Mapping[int, str]) -> str:
    errors, warnings = len(list(result.failures("error"))), len(list(result.failures("warn")))
    verdict = (f'<span class="error">{errors} errors</span>' if errors else '<span class="good">no error</span>') + (
        f', <span class="warn">{warnings} warnings</span>' if warnings else ", no warning"
    )
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Raw data, checked {result.checked_at:%Y-%m-%d %H:%M} UTC</title>",
        f"<style>{_STYLE}</style></head><body>",
        "<h1>Raw data against what is expected of it</h1>",
        f'<p class="note">Checked {result.checked_at:%Y-%m-%d %H:%M} UTC, days {result.since} to {result.until}: '
        f"{len(result.outcomes):,} expectations, {verdict}.</p>",
        _overview(result, names),
        _failures(result, names),
        _expectations(result),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _overview(result: QualityResult, names: Mapping[int, str]) -> str:
    suites = by_suite(result.outcomes)
    reports = list(dict.fromkeys(outcome.report for outcome in result.outcomes))
    accounts = list(dict.fromkeys(outcome.account_id for outcome in result.outcomes))
    head = "".join(f"<th>{escape(_name(account, names))}</th>" for account in accounts)
    rows = []
    for report in reports:
        cells = "".join(f'<td class="state">{_state(suites.get((account, report)))}</td>' for account in accounts)
        rows.append(f'<tr><td><a href="#suite-{escape(report)}">{escape(report)}</a></td>{cells}</tr>')
    return f"<table><thead><tr><th>Report</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _state(outcomes: list[Outcome] | None) -> str:
    if outcomes is None:
        return "-"
    failed: list[str] = [outcome.severity for outcome in outcomes if not outcome.passed]
    if not failed:
        return '<span class="good">ok</span>'
    counted = [
        f'<span class="{severity}">{failed.count(severity)} {word}{"s" if failed.count(severity) > 1 else ""}</span>'
        for severity, word in (("error", "error"), ("warn", "warning"))
        if severity in failed
    ]
    return ", ".join(counted)


def _failures(result: QualityResult, names: Mapping[int, str]) -> str:
    failed = sorted(result.failures(), key=lambda outcome: outcome.severity)
    if not failed:
        return "<h2>What failed</h2><p>Nothing.</p>"
    rows = []
    for outcome in failed:
        examples = "".join(f"<li><code>{escape(example)}</code></li>" for example in outcome.examples)
        rows.append(
            f'<tr><td class="{outcome.severity}">{"error" if outcome.severity == "error" else "warning"}</td>'
            f"<td>{escape(_name(outcome.account_id, names))}<br><code>{escape(outcome.report)}</code></td>"
            f"<td>{escape(outcome.message)}"
            + (f'<ul class="examples">{examples}</ul>' if examples else "")
            + f'<div class="mend">To mend it: {escape(outcome.mend)}</div></td>'
            f"<td>{escape(days_in_words(outcome.days)) if outcome.days else ''}</td></tr>"
        )
    head = "<tr><th></th><th>Where</th><th>What, and what to do</th><th>Days</th></tr>"
    return f"<h2>What failed</h2><table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _expectations(result: QualityResult) -> str:
    parts = ["<h2>What was expected</h2>"]
    for report in dict.fromkeys(outcome.report for outcome in result.outcomes):
        outcomes = [outcome for outcome in result.outcomes if outcome.report == report]
        documents = result.documents.get(report, [])
        expected = {
            item["expectation_config"]["meta"]["rule"]: item["expectation_config"].get("description") or ""
            for document in documents
            for item in document["results"]
        }
        rows = []
        for name in dict.fromkeys(outcome.expectation for outcome in outcomes):
            same = [outcome for outcome in outcomes if outcome.expectation == name]
            failed = sum(not outcome.passed for outcome in same)
            severity = same[0].severity
            state = (
                f'<span class="{severity}">{failed} of {len(same)} accounts failed</span>'
                if failed
                else (f'<span class="good">all {len(same)} accounts</span>')
            )
            rows.append(
                f"<tr><td><code>{escape(name)}</code></td><td>{escape(expected.get(name, ''))}</td>"
                f"<td>{'error' if severity == 'error' else 'warning'}</td><td>{state}</td></tr>"
            )
        parts.append(
            f'<details id="suite-{escape(report)}"><summary><code>{escape(report)}</code>: {len(rows)} expectations, '
            f'{result.seconds.get(report, 0):.1f} s (<a href="{escape(report)}.json">results as JSON</a>)</summary>'
            "<table><thead><tr><th>Expectation</th><th>What holds</th><th>If not</th><th>Held in</th></tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table></details>"
        )
    return "\n".join(parts)


def _name(account_id: int, names: Mapping[int, str]) -> str:
    return names.get(account_id) or f"act_{account_id}"
