"""What a split test's cells would show without noise: the truth that its numbers estimate.

What belongs here: expected sums of a study's cells over its days, and their ratios. What does not: how delivery comes
about (`delivery`), what is drawn (`studies`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.world.delivery import deliver
from simulator.world.maturity import final_share
from simulator.world.model import ATTRIBUTION_SETTINGS, AccountModel, Study
from simulator.world.studies import cell_adsets
from simulator.world.timeline import Timeline


def study_expectation(model: AccountModel, timeline: Timeline, study: Study) -> dict[str, Any]:
    """Expected final sums of each cell over the study's days, and how the second cell compares with the first.

    Returns:
        `expected`: per cell spend (major units), impressions, link clicks, conversions as the ad set's own attribution
        setting counts them, and their value (major units; 0 for leads). `ratio_of_second_cell`: the second cell's
        `ctr`, `cvr`, `cpa`, `roas` and `cpm` over the first's; None where there is no value.
    """
    cells = [_expected(model, timeline, study, adsets) for adsets in cell_adsets(model, study)]
    first, second = cells[0], cells[1]

    def ratio(above: str, below: str) -> float | None:
        parts = second[above], second[below], first[above], first[below]
        return parts[0] / parts[1] / (parts[2] / parts[3]) if all(parts) else None

    return {
        "expected": cells,
        "ratio_of_second_cell": {
            "ctr": ratio("link_clicks", "impressions"),
            "cvr": ratio("conversions", "link_clicks"),
            "cpa": ratio("spend", "conversions"),
            "roas": ratio("conversion_value", "spend"),
            "cpm": ratio("spend", "impressions"),
        },
    }


def _expected(model: AccountModel, timeline: Timeline, study: Study, adsets: list[int]) -> dict[str, float]:
    days = np.arange(study.first_day, study.last_day + 1, dtype=np.int64)
    campaigns = model.adset_campaign[adsets]
    span = model.span(int(campaigns.min()), int(campaigns.max()))
    flow = deliver(model, timeline, span, days, model.clock.midnight(study.last_day + 1), noisy=False)
    ads = np.arange(*span.ads)
    mine = np.isin(model.ad_adset[ads], adsets)
    adset = model.ad_adset[ads[mine]]
    clicked = np.array([final_share(7 if seven else 1) for _, _, seven, _ in ATTRIBUTION_SETTINGS])
    viewed = np.array([float(view) for *_, view in ATTRIBUTION_SETTINGS])
    setting = model.attribution[adset]
    sums = {
        name: getattr(flow.so_far, name)[:, mine].sum(axis=0)
        for name in ("spend", "impressions", "clicks", "buys", "views")
    }
    conversions = sums["buys"] * clicked[setting] + sums["views"] * viewed[setting]
    value = conversions * model.order_value[adset] * ~model.leads[adset]
    return {
        "spend": float(sums["spend"].sum()),
        "impressions": float(sums["impressions"].sum()),
        "link_clicks": float(sums["clicks"].sum()),
        "conversions": float(conversions.sum()),
        "conversion_value": float(value.sum()),
    }
