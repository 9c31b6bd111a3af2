"""Injected anomalies: what an alert should find, and when.

What belongs here: drawing them. What does not: applying them (`delivery`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulator.world.hashing import keys, log_spread, pick, uniform

#: Kind -> range of the factor it multiplies its quantity by.
KINDS: dict[str, tuple[float, float]] = {
    "spend_spike": (1.45, 1.9),
    "delivery_stop": (0.02, 0.1),
    "cpm_spike": (1.5, 2.2),
    "ctr_drop": (0.35, 0.6),
    "tracking_outage": (0.03, 0.2),
}


class Anomaly(NamedTuple):
    """A factor on one ad set's delivery from `first_day` to `last_day` (ordinals, both included)."""

    adset: int
    first_day: int
    last_day: int
    kind: str
    factor: float

    def describe(self, adset_id: str, day: str, last_day: str) -> dict[str, Any]:
        """The JSON form for `truth`."""
        return {
            "object": adset_id,
            "level": "adset",
            "day": day,
            "last_day": last_day,
            "kind": self.kind,
            "factor": round(self.factor, 4),
        }


def draw_anomalies(key: int, eligible: list[int], first_day: int, anchor: int) -> list[Anomaly]:
    """About one anomaly per ad set and year up to the anchor, plus one in the last week before it."""
    if not eligible:
        return []
    days = max(1, anchor - first_day)
    count = max(2, round(len(eligible) * days / 365))
    key_array = keys(key, count)
    names = list(KINDS)
    where, kind = pick(key_array, "adset", len(eligible)), pick(key_array, "kind", len(names))
    when = first_day + 30 + pick(key_array, "day", max(1, days - 35))
    when[-1] = anchor - 4
    length = 1 + (uniform(key_array, "length") * 2.5).astype(int)
    found = []
    for number in range(count):
        name = names[int(kind[number])]
        factor = float(log_spread(key_array[number : number + 1], "factor", *KINDS[name])[0])
        first = int(when[number])
        found.append(Anomaly(eligible[int(where[number])], first, first + int(length[number]) - 1, name, factor))
    return sorted(found, key=lambda anomaly: anomaly.first_day)
