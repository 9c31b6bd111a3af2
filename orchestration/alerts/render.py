"""A message in words: subject, plain text, HTML, and Slack's JSON.

What belongs here: wording and escaping. Names of accounts and campaigns are other people's texts: they are shown as
they are and never interpreted, neither as HTML nor as Slack's own marks. What does not: sending.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Any

from orchestration.alerts.model import ALL_CLEARS, Account, Alert, Event, Kind, Message, label
from warehouse.ops.alerts import Delivery

EMAIL = "email"
_PRODUCT = "Meta Ads Analytics"
_SHOWN_CAUSES, _SHOWN_SAMPLES = 25, 20
_SUBJECT_LENGTH = 150
# Source: Slack's reference of blocks: 150 characters in a header, 3,000 in a section, 50 blocks in a message.
_SLACK_HEADER, _SLACK_SECTION, _SLACK_BLOCKS = 150, 2900, 45
_COLOURS = {"error": "#b3261e", "warning": "#8a5a00", "clear": "#1e6b3a"}
_SEVERAL = {
    Kind.ACCOUNT_STALE: "{count} accounts have no complete yesterday",
    Kind.TODAY_STALE: "{count} accounts: today's numbers are old",
    Kind.CHECKS_FAILED: "{count} reports fail their checks",
    Kind.RUN_FAILED: "{count} jobs fail alike",
    Kind.REPORT_NOT_SENT: "{count} reports are not sent",
    Kind.API_USAGE: "{count} of Meta's limits are nearly used up or closed",
}


@dataclass(frozen=True)
class Context:
    """What texts need to know.

    Attributes:
        accounts: How accounts are called.
        web_url: Where people open Dagster; None where nobody said.
    """

    accounts: Mapping[int, Account]
    web_url: str | None = None


@dataclass(frozen=True)
class _Part:
    """One cause in words."""

    title: str
    facts: Sequence[str]
    things: Sequence[tuple[str, str | None]]
    mend: str


def headline(message: Message) -> str:
    """What it is about, in a line."""
    alerts = message.alerts
    kind = alerts[0].cause.kind
    several = _SEVERAL.get(Kind(kind), "{count} causes")
    return _one_line(alerts[0].cause.title if len(alerts) == 1 else several.format(count=len(alerts)))


def subject(message: Message) -> str:
    """`[Error] Meta refuses the access token`."""
    return _cut(f"[{_mark(message)}] {headline(message)}", _SUBJECT_LENGTH)


def plain(message: Message, context: Context) -> str:
    """The message as text."""
    lines = [f"{_mark(message)}: {headline(message)}", ""]
    for part in _parts(message, context):
        if len(message.alerts) > 1:
            lines.append(part.title)
        lines += part.facts
        lines += [f"  - {text}{f' {link}' if link else ''}" for text, link in part.things]
        if part.mend:
            lines.append(f"To mend it: {part.mend}")
        lines.append("")
    return "\n".join([*lines, _foot(message), ""])


def html(message: Message, context: Context) -> str:
    """The message as HTML that mail programs show: tables and inline styles alone, nothing loaded from anywhere."""
    colour = _COLOURS["clear" if message.event in ALL_CLEARS else message.severity]
    rows = [
        f'<tr><td style="padding:12px 16px;background:{colour};color:#ffffff;font-size:16px;font-weight:bold">'
        f"{escape(_mark(message))}: {escape(headline(message))}</td></tr>"
    ]
    for part in _parts(message, context):
        inner = [f'<p style="margin:0 0 8px;font-weight:bold">{escape(part.title)}</p>'] * (len(message.alerts) > 1)
        inner += [f'<p style="margin:0 0 8px">{_breaks(fact)}</p>' for fact in part.facts]
        if part.things:
            things = "".join(f"<li>{escape(text)}{_link(link)}</li>" for text, link in part.things)
            inner.append(f'<ul style="margin:0 0 8px;padding-left:20px">{things}</ul>')
        if part.mend:
            inner.append(f'<p style="margin:0 0 8px"><b>To mend it:</b> {escape(part.mend)}</p>')
        rows.append(f'<tr><td style="padding:12px 16px;border-top:1px solid #dddddd">{"".join(inner)}</td></tr>')
    rows.append(
        f'<tr><td style="padding:12px 16px;border-top:1px solid #dddddd;color:#555555;font-size:12px">'
        f"{_breaks(_foot(message))}</td></tr>"
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>'
        f"{escape(subject(message))}</title></head>"
        '<body style="margin:0;padding:16px;font-family:Arial,Helvetica,sans-serif;font-size:14px;color:#222222">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" '
        f'style="max-width:680px;border:1px solid #dddddd;border-collapse:collapse">{"".join(rows)}</table>'
        "</body></html>"
    )


def email(message: Message, context: Context, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The message as an e-mail with a plain and an HTML part.

    Its id depends on what it says of which causes alone, so that mail programs know a repetition for what it is.
    """
    mail = EmailMessage()
    domain = sender.rpartition("@")[2]
    mail["Subject"] = subject(message)
    mail["From"] = f"{_PRODUCT} <{sender}>"
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{_digest(_identity(message))}@{domain}>"
    # Reason: with one ancestor that was never sent, programs show opening, reminders and all-clear as one thread.
    mail["References"] = f"<{_digest(message.group, *(alert.cause.key for alert in message.alerts[:1]))}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(plain(message, context))
    mail.add_alternative(html(message, context), subtype="html")
    return mail


def slack(message: Message, context: Context) -> dict[str, Any]:
    """The message as Slack's incoming webhooks take it; `text` is for notifications and for other programs."""
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": _cut(f"{_mark(message)}: {headline(message)}", _SLACK_HEADER)},
        }
    ]
    for part in _parts(message, context):
        lines = [f"*{_slack(part.title)}*"] if len(message.alerts) > 1 else []
        lines += [_slack(fact) for fact in part.facts]
        lines += [f"• {_slack(text)}{f' <{_slack(link)}|run>' if link else ''}" for text, link in part.things]
        if part.mend:
            lines.append(f"*To mend it:* {_slack(part.mend)}")
        if lines:
            blocks.append(_section(lines))
    blocks = blocks[:_SLACK_BLOCKS]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _slack(_foot(message))}]})
    return {"text": _slack(subject(message)), "blocks": blocks}


def _section(lines: Sequence[str]) -> dict[str, Any]:
    """Lines as a block; whole lines are left out where there are too many, so that no mark is cut in two."""
    kept: list[str] = []
    for line in lines:
        if sum(len(one) + 1 for one in kept) + len(line) > _SLACK_SECTION:
            kept.append("…")
            break
        kept.append(line)
    return {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(kept)}}


def _parts(message: Message, context: Context) -> Iterator[_Part]:
    for alert in message.alerts[:_SHOWN_CAUSES]:
        yield _part(alert, message.event, context)
    left = len(message.alerts) - _SHOWN_CAUSES
    if left > 0:
        yield _Part(f"and {left} more", ("`meta-ads alerts` lists them.",), (), "")


def _part(alert: Alert, event: Event, context: Context) -> _Part:
    cause = alert.cause
    if event in ALL_CLEARS:
        ended = f" to {_moment(alert.resolved_at)}" if alert.resolved_at else ""
        lasted = f"It was there from {_moment(alert.opened_at)}{ended}."
        if event is Event.EXPIRED:
            lasted = f"Nothing ran again since {_moment(alert.last_seen_at)}, so nobody knows whether it is mended."
        return _Part(cause.title, (lasted,), (), "")
    facts = [cause.detail] if cause.detail else []
    if event is not Event.TEST:
        facts.append(f"Since {_moment(alert.opened_at)}.")
    return _Part(cause.title, facts, _things(alert, context), cause.mend)


def _things(alert: Alert, context: Context) -> list[tuple[str, str | None]]:
    """What a cause concerns, one line each: the account, the run, its own text where it says something else."""
    found = []
    for subject_name, about in sorted(alert.cause.samples.items()):
        account_id, run_id, text = about.get("account_id"), about.get("run_id"), str(about.get("text") or "")
        job = about.get("job")
        named = ", ".join([*([label(account_id, context.accounts)] if account_id else []), *([job] if job else [])])
        named = named or subject_name
        run = f", run {str(run_id)[:8]}" if run_id else ""
        said = f": {_cut(_one_line(text), 200)}" if text and text != alert.cause.detail else ""
        link = f"{context.web_url}/runs/{run_id}" if context.web_url and run_id else None
        found.append((f"{named}{run}{said}", link))
    left = len(found) - _SHOWN_SAMPLES
    return found[:_SHOWN_SAMPLES] + ([(f"and {left} more", None)] if left > 0 else [])


def _foot(message: Message) -> str:
    match message.event:
        case Event.TEST:
            return "A test of the alerts, sent by `meta-ads alerts test`."
        case Event.ALL_CLEAR:
            return "All clear. Nothing is to be done."
        case Event.EXPIRED:
            return "No more is said about it. Look at the run, and execute it again if its data are needed."
    if message.quiet is None:
        return "`meta-ads alerts` lists what is open."
    return (
        f"No more about it for {_duration(message.quiet)}, unless it gets worse or is over. "
        "`meta-ads alerts` lists what is open."
    )


def _mark(message: Message) -> str:
    match message.event:
        case Event.TEST:
            return "Test"
        case Event.ALL_CLEAR:
            return "All clear"
        case Event.EXPIRED:
            return "Closed"
    worst = "Error" if message.severity == "error" else "Warning"
    return f"Still: {worst}" if message.event is Event.REMINDER else worst


def _identity(message: Message) -> str:
    told = [f"{alert.alert_id}:{alert.deliveries.get(EMAIL, Delivery()).told_count}" for alert in message.alerts]
    when = message.at.isoformat() if message.event is Event.TEST else ""
    return f"{message.event}|{message.group}|{','.join(told)}|{when}"


def _digest(*texts: str) -> str:
    return hashlib.sha256("|".join(texts).encode()).hexdigest()[:32]


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "now"


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60} hours" if minutes % 60 == 0 and minutes > 60 else f"{minutes} minutes"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _breaks(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _link(link: str | None) -> str:
    return f' (<a href="{escape(link, quote=True)}">open</a>)' if link else ""


def _slack(text: str) -> str:
    # Source: Slack's guide to formatting: these three characters, and no others, are escaped.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
