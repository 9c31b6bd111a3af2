"""A small report for tests: what is written of an order, without a database."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime

from dashboards.answering import Space
from dashboards.library import Library
from dashboards.reports.model import File, Image, Message, Order
from orchestration.clients.models import Client


def png() -> bytes:
    """One blue pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\x20\x40\xa0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def written(order: Order, space: Space, library: Library, now: datetime) -> Message:
    """What the real writer would return, in few words; deterministic, as it is."""
    days = f"{order.period.first} - {order.period.last}"
    title = order.title
    return Message(
        subject=f"{title}: ROAS 3,2 (+12 %) 広告 {days}",
        text=f"{order.words or ''}\n{title}, {days}\nÜbersicht\n",
        html=f'<html><body><h1>{title}</h1><p>{"x" * 3000} Übersicht</p><img src="cid:spend"></body></html>',
        images=(Image("spend", png(), "Spend by day"),),
        files=tuple(
            File(f"{order.name}.{kind}", f"application/{kind}", b"\x00\x01" * 200) for kind in order.attachments
        ),
    )


def client(**changes: object) -> Client:
    """Two accounts and one weekly report."""
    report = {
        "name": "weekly",
        "title": "Acme weekly",
        "recipients": ["ann@example.com", "bob@example.com"],
        "schedule": "0 7 * * mon",
        "time_zone": "Europe/Berlin",
        "period": "last_week",
        "attachments": ["pdf", "xlsx"],
    }
    return Client.model_validate(
        {
            "id": "client-1",
            "name": "Client 1",
            "accounts": [{"id": 1001, "name": "Shop 1"}, {"id": 1002, "name": "Shop 2"}],
            "reports": [report | changes],
        }
    )
