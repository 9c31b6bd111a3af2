"""A fresh instance: what is there before anybody set it up."""

from __future__ import annotations

from tests.metabase.access.principals import ALL_USERS, seed_groups
from tests.metabase.content.collections import ROOT, add_collection, set_level
from tests.metabase.core.standin import Standin


def seed(standin: Standin) -> None:
    """Four groups, the trash, and a root collection that everybody may write to."""
    seed_groups(standin.state)
    add_collection(standin, "Trash", kind="trash")
    set_level(standin.state, ALL_USERS, ROOT, "write")
