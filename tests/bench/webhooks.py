"""Fifty senders at once: how fast the receiver answers, each delivery on disk before it does.

What belongs here: the load and the figures. What does not: the receiver. How long an answer takes is measured with a
pause between a sender's deliveries; how many a second there can be, without one.
"""

from __future__ import annotations

import asyncio
import time

import aiohttp
import orjson

from tests.bench.figures import Figure, Report
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.e2e.receiving import running_receiver, signed

SENDERS, DELIVERIES = 50, 5_000
PAUSE_SECONDS = 0.25
GOAL_MS = 50.0


def body(number: int) -> bytes:
    """A delivery with one change, like none before."""
    value = {
        "subscription_id": 3_333_333_333,
        "account_id": 1_010_035_716_096_012,
        "object_id": number,
        "object_type": "adset",
        "field": "daily_budget",
        "current_value": "1500",
    }
    entry = {"id": "1010035716096012", "time": 1782862117, "changes": [{"field": "subscriptions", "value": value}]}
    return orjson.dumps({"object": "ad_account", "entry": [entry]})


async def send(url: str, first: int, count: int, pause: float = 0.0) -> list[float]:
    """Sends so many deliveries, each sender with a pause (seconds) after each; returns how long each took, ms."""
    waiting = iter([(made, {"X-Hub-Signature-256": signed(made)}) for made in map(body, range(first, first + count))])
    took: list[float] = []

    async def sender(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{url}/healthz") as answer:  # Reason: connecting is not what is measured.
            await answer.read()
        for made, headers in waiting:
            began = time.perf_counter()
            async with session.post(f"{url}/webhook", data=made, headers=headers) as answer:
                assert answer.status == 200, answer.status
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(pause)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=SENDERS)) as session:
        await asyncio.gather(*(sender(session) for _ in range(SENDERS)))
    return sorted(took)


def webhooks(lab: Lab) -> Report:
    """The 99th percentile of answers, and how many a second."""
    count = DELIVERIES // 10 if lab.quick else DELIVERIES
    slowest, rates, medians = [], [], []
    with lab.database() as url, running_receiver(lab.folder, url) as receiver:
        asyncio.run(send(receiver.url, 0, 500))  # connections, caches
        for number in range(1, lab.rounds + 1):
            took = asyncio.run(send(receiver.url, number * 10**6, count, PAUSE_SECONDS))
            medians.append(took[len(took) // 2])
            slowest.append(took[int(len(took) * 0.99)])
            began = time.perf_counter()
            asyncio.run(send(receiver.url, number * 10**6 + count, count))
            rates.append(count / (time.perf_counter() - began))
        stored = len(receiver.stored())
    assert stored == 500 + 2 * count * lab.rounds, f"{stored} are stored"
    middle = sorted(slowest)[len(slowest) // 2]
    return Report(
        figures=[
            Figure(
                f"a webhook's answer, 99th percentile, {SENDERS} senders with {PAUSE_SECONDS:g} s between deliveries",
                middle,
                "ms",
                GOAL_MS,
                more_is_better=False,
                spread=(min(slowest), max(slowest)),
            ),
            Figure("the same, median", sorted(medians)[len(medians) // 2], "ms", spread=(min(medians), max(medians))),
            Figure(
                f"deliveries stored a second, {SENDERS} senders without a pause",
                sorted(rates)[len(rates) // 2],
                spread=(min(rates), max(rates)),
            ),
        ],
        notes=[f"webhooks: fsync on, sender and receiver on the same cores; load average after: {load()}"],
    )
