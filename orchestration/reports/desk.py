"""What sending a report needs, taken from an installation.

What belongs here: the mail server, the sender, the writer and the clock. What does not: using them
(`orchestration.reports.deliver`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from orchestration.errors import ConfigurationError
from orchestration.mail import SmtpServer
from orchestration.mail_settings import report_sender, smtp_server
from orchestration.platform import Platform
from orchestration.reports.writing import Writer, write_report

#: Reason: a silent server leaves a report unsure, so it gets half of the ten minutes of RFC 5321, 4.5.3.2.6.
_VERDICT_SECONDS = 300.0


@dataclass(frozen=True)
class Desk:
    """What sending needs.

    Attributes:
        platform: Opened.
        server: Where mail is handed over.
        sender: Plain address.
        writer: Writes reports.
        now: The time, with a time zone.
    """

    platform: Platform
    server: SmtpServer
    sender: str
    writer: Writer = write_report
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def of(cls, platform: Platform, writer: Writer = write_report, now: Callable[[], datetime] | None = None) -> Desk:
        """The desk of an installation.

        Raises:
            ConfigurationError: It has no mail server, or no sender.
        """
        server, sender = smtp_server(platform.settings), report_sender(platform.settings)
        if server is None:
            raise ConfigurationError("Reports cannot be sent: SMTP_HOST is not set.", "set SMTP_HOST (.env.example)")
        if sender is None:
            raise ConfigurationError(
                "Reports cannot be sent: they have no sender.", "set REPORT_EMAIL_FROM to an address"
            )
        clock = now or (lambda: datetime.fromtimestamp(platform.clock.now(), UTC))
        return cls(platform, replace(server, verdict_seconds=_VERDICT_SECONDS), sender, writer, clock)
