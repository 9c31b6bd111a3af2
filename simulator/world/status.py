"""Effective statuses: an object's own status seen through its parents'.

What belongs here: the rules of inheritance. What does not: when statuses change (`schedule`, `timeline`).
"""

from __future__ import annotations

import numpy as np

from simulator.world.hashing import I64
from simulator.world.model import AccountModel
from simulator.world.timeline import ABSENT, ACTIVE, ARCHIVED, DELETED, PAUSED, Timeline

ADSET_PAUSED, CAMPAIGN_PAUSED = 4, 5
NAMES = {-1: "", 0: "ACTIVE", 1: "PAUSED", 2: "ARCHIVED", 3: "DELETED", 4: "ADSET_PAUSED", 5: "CAMPAIGN_PAUSED"}
GONE = ("ARCHIVED", "DELETED")


def effective(model: AccountModel, timeline: Timeline, kind: str, moment: int) -> I64:
    """Effective status codes of all objects of a kind; archived and deleted parents take their children along."""
    own = timeline.status(kind, np.arange(model.count(kind)), np.array(moment)).astype(np.int64)
    if kind == "campaign":
        return own
    if kind == "adset":
        return _under(own, effective(model, timeline, "campaign", moment)[model.adset_campaign], CAMPAIGN_PAUSED)
    return _under(own, effective(model, timeline, "adset", moment)[model.ad_adset], ADSET_PAUSED)


def _under(own: I64, parent: I64, paused: int) -> I64:
    seen = np.where((own == ACTIVE) & (parent == PAUSED), paused, own)
    seen = np.where((own == ACTIVE) & (parent == CAMPAIGN_PAUSED), CAMPAIGN_PAUSED, seen)
    gone = ((parent == ARCHIVED) | (parent == DELETED)) & (own != ABSENT)
    return np.where(gone & (own < parent), parent, seen)
