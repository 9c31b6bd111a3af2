"""What is true about an account: for tests and for judging decisions made from its numbers.

What belongs here: reading the model's parameters out. What does not: anything the product could see.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from simulator.world import hashing as h
from simulator.world import maturity
from simulator.world.assets import describe_study
from simulator.world.delivery import deliver
from simulator.world.expectation import study_expectation
from simulator.world.ids import object_id
from simulator.world.model import ATTRIBUTION_SETTINGS, AccountModel
from simulator.world.timeline import Timeline

_ROWS_AT_ONCE = 8192


def account_truth(model: AccountModel, timeline: Timeline) -> dict[str, Any]:
    """Curves, fatigue, effects, anomalies, withdrawals and maturity of one account, as plain JSON values.

    `curves`: expected final default-window conversions by daily spend of an ad set in major units, before the
    factors of day, creative, test and anomaly. `withdrawn`: rows removed later, by day, from the start of history
    to the anchor. `studies`: split tests with what their cells would show without noise.
    """

    def name(kind: str, index: int) -> str:
        return object_id(model.seed, model.index, kind, index)

    assert model.curves is not None
    adsets, ads = range(len(model.adset_names)), range(len(model.ad_names))
    return {
        "account_id": model.id,
        "currency": model.currency,
        "minor_per_major": model.minor,
        "time_zone": model.clock.zone_name,
        "first_day": date.fromordinal(model.first_day).isoformat(),
        "anchor": date.fromordinal(model.anchor).isoformat(),
        "opted_in": model.opted_in,
        "curves": {
            name("adset", index): model.curves.describe(index)
            | {
                "reference_spend": float(model.reference_spend[index]),
                "capacity": float(model.capacity[index]),
                "order_value": float(model.order_value[index]),
                "event": "lead" if model.leads[index] else "purchase",
                "attribution_setting": ATTRIBUTION_SETTINGS[int(model.attribution[index])][0],
                "campaign_budget": bool(model.campaign_budget[model.adset_campaign[index]]),
            }
            for index in adsets
        },
        "fatigue": {
            name("ad", index): {
                "half_life_days": float(model.half_life[index]),
                "floor": float(model.fatigue_floor[index]),
                "born": date.fromordinal(int(model.born[index])).isoformat(),
            }
            for index in ads
        },
        "studies": [
            dict(describe_study(model, study)) | study_expectation(model, timeline, study) for study in model.studies
        ],
        "anomalies": [
            anomaly.describe(
                name("adset", anomaly.adset),
                date.fromordinal(anomaly.first_day).isoformat(),
                date.fromordinal(anomaly.last_day).isoformat(),
            )
            for anomaly in model.anomalies
        ],
        "withdrawn": _withdrawn(model, timeline),
        "maturity": maturity.describe(),
    }


def _withdrawn(model: AccountModel, timeline: Timeline) -> dict[str, int]:
    span = model.span(0, len(model.campaign_names) - 1)
    found: dict[str, int] = {}
    step = max(1, _ROWS_AT_ONCE // len(model.ad_names))
    for day in range(model.first_day, model.anchor + 1, step):
        days = np.arange(day, min(day + step, model.anchor + 1), dtype=np.int64)
        key = h.cross(model.ad_key, days[:, None])
        removed = maturity.withdrawn(key, np.full((len(days), 1), 99.0), model.withdrawn_share)
        rows = np.flatnonzero(removed.any(axis=1))
        if not rows.size:
            continue
        end = model.clock.midnight(int(days[-1]) + 1)
        flow = deliver(model, timeline, span, days[rows], end)
        count = (removed[rows] & (flow.so_far.impressions > 0.5)).sum(axis=1)
        found |= {
            date.fromordinal(int(days[row])).isoformat(): int(number)
            for row, number in zip(rows, count, strict=True)
            if number
        }
    return found
