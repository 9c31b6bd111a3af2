"""An installation with one client, whose week is whole, and its weekly report: everything real but the writer.

What belongs here: making it, also in a process of its own (`python -m tests.orchestration.reports.office`), which may
be killed. What does not: judging what was sent.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from dashboards.reports.model import Message
from orchestration.clients.models import ClientsFile
from orchestration.platform import Platform
from orchestration.progress import Display
from orchestration.reports.desk import Desk
from orchestration.reports.due import Due, newest_due
from orchestration.reports.writing import Writer
from orchestration.settings import Settings, load_settings
from tests.dashboards import fake_marts
from tests.dashboards.reports.account_days import days, empty, write
from tests.orchestration.reports.sample import client, written
from warehouse.connect import Warehouse
from warehouse.isolation import sync_client_schemas
from warehouse.ops import sync_clients
from warehouse.ops.report_deliveries import Delivery, find

DUE = datetime(2026, 11, 16, 6, 0, tzinfo=UTC)  # Monday, seven in Berlin
FIRST, LAST = date(2026, 11, 9), date(2026, 11, 15)
ACCOUNTS = (1001, 1002)
SENDER = "reports@example.com"


def furnish(url: str) -> None:
    """Marts, and the client's own schema over them."""
    fake_marts.make(url, date(2026, 11, 16), accounts=2)
    with Warehouse(url) as warehouse:
        sync_clients(warehouse, ClientsFile(version=1, clients=[client()]).client_account_rows())
        with warehouse.connection() as connection:
            connection.execute(
                "INSERT INTO ops.mart_build (status, slices, finished_at) VALUES ('succeeded', 1, now())"
            )
        result = sync_client_schemas(warehouse, {"client-1"})
    assert [one.accounts for one in result.clients] == [ACCOUNTS]


def fill(warehouse: Warehouse) -> None:
    """Nothing was sent, and both weeks are whole."""
    empty(warehouse, "marts")
    for account in ACCOUNTS:
        write(warehouse, "marts", account, days(FIRST - timedelta(days=7), LAST))


def settings_for(port: int, **changes: Any) -> Settings:
    mail = {"smtp_host": "localhost", "smtp_port": port, "smtp_tls": "none", "report_email_from": SENDER}
    return load_settings(None, **(mail | changes))


@dataclass
class Office:
    """What a test works with; its clock stands still.

    Attributes:
        platform: With one client.
        now: The time.
        writer: Writes the reports.
        verdict_seconds: How long the mail server may think about a message.
        timeout_seconds: How long it may take for any other answer.
    """

    platform: Platform
    now: datetime = DUE + timedelta(seconds=30)
    writer: Writer = written
    verdict_seconds: float = 5.0
    timeout_seconds: float = 5.0
    orders: list[Any] = field(default_factory=list)

    @property
    def warehouse(self) -> Warehouse:
        return self.platform.warehouse

    @property
    def desk(self) -> Desk:
        found = Desk.of(self.platform, self._write, lambda: self.now)
        return replace(
            found,
            server=replace(found.server, timeout_seconds=self.timeout_seconds, verdict_seconds=self.verdict_seconds),
        )

    @property
    def due(self) -> Due:
        owner = self.platform.clients.clients[0]
        return newest_due(owner, owner.reports[0], self.now)

    @property
    def row(self) -> Delivery | None:
        return find(self.warehouse, "client-1", "weekly", FIRST, LAST)

    def declare(self, **report: object) -> None:
        self.platform.clients = ClientsFile(version=1, clients=[client(**report)])

    def use(self, port: int, **changes: Any) -> None:
        self.platform.settings = settings_for(port, **changes)

    def _write(self, *given: Any) -> Message:
        self.orders.append(given)
        return self.writer(*given)


@contextmanager
def opened(url: str, port: int) -> Iterator[Office]:
    with Warehouse(url) as warehouse:
        clients = ClientsFile(version=1, clients=[client()])
        yield Office(Platform(settings_for(port), clients, warehouse, Display()))


def main(url: str, port: str, mark: str) -> None:
    """Delivers the report; with a mark, its writer makes that file and then waits to be killed."""
    from orchestration.reports.deliver import deliver

    def waits(*given: Any) -> Message:
        Path(mark).touch()
        time.sleep(60)
        return written(*given)

    with opened(url, int(port)) as office:
        office.verdict_seconds = 60
        office.writer = waits if mark else written
        found = deliver(office.desk, office.due)
        print(found.state if found else "busy")


if __name__ == "__main__":
    main(*sys.argv[1:])
