"""The world behind the simulator: accounts, ads and their numbers, with a truth that tests can read.

What belongs here: objects and numbers as a pure function of (seed, size, anchor, updates, time of asking). What does
not: HTTP, parameters, errors, quotas (`simulator.server`). Use `build_world`; the rest is inside.

Rows come by day and then by ad unless a query sorts them. Meta promises no order, so clients must not rely on it;
`WorldSize(shuffle=True)` scrambles it to find those that do.
"""

from simulator.world.size import PRESETS, WorldSize
from simulator.world.world import SimulatedWorld, build_world

__all__ = ["PRESETS", "SimulatedWorld", "WorldSize", "build_world"]
