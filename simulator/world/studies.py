"""Split tests: which cells compare what, and what is true about them.

What belongs here: drawing the studies of an account. What does not: their JSON (`entities`) or effect (`delivery`).
"""

from __future__ import annotations

import numpy as np

from simulator.world.model import AccountModel, Study

#: Kind -> (true factor on the conversion rate of cell B, length in days).
KINDS: dict[str, tuple[float, int]] = {"effect": (1.35, 28), "none": (1.0, 28), "underpowered": (1.06, 10)}
_ENDED_BEFORE_ANCHOR = 40


def draw_studies(model: AccountModel, count: int) -> None:
    """Give the account up to `count` studies: one with a true effect, one with none, one under-powered.

    The first studies take a campaign each, with its first two ad sets as cells; where campaigns have a single ad
    set, the cells are two campaigns. Accounts after the first cycle through the kinds.
    """
    campaigns = len(model.campaign_starts)
    sizes = np.diff(np.append(model.campaign_starts, len(model.adset_campaign)))
    next_campaign = 0
    names = list(KINDS)
    for number in range(count):
        kind = names[(number + model.index) % len(names)]
        factor, length = KINDS[kind]
        if next_campaign < campaigns and sizes[next_campaign] >= 2 and campaigns > 1:
            first = int(model.campaign_starts[next_campaign])
            level, cells = "adset", ((first,), (first + 1,))
            next_campaign += 1
        elif next_campaign + 2 < campaigns:
            level, cells = "campaign", ((next_campaign,), (next_campaign + 1,))
            next_campaign += 2
        else:
            return
        last = model.anchor - _ENDED_BEFORE_ANCHOR
        last = max(last, model.first_day + length)
        model.studies.append(
            Study(number, f"Split test {number + 1}", level, cells, last - length + 1, last, kind, factor)
        )
