"""Whole numbers per (day, ad): impressions, clicks, spend in minor units, conversions by window, order values.

What belongs here: noise and rounding of single rows. What does not: expectations (`delivery`), sums or cells (`rows`).

Every number is `floor(expectation so far * noise + phase)` with a phase drawn per row: over time it only grows
(corrections aside), windows are nested, and its mean is exact even when counts are small.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.world import hashing as h
from simulator.world import maturity
from simulator.world.delivery import deliver
from simulator.world.hashing import F64, I64
from simulator.world.model import ATTRIBUTION_SETTINGS, AccountModel, Span
from simulator.world.timeline import Timeline

#: Conversion events and how many come on top of the next deeper stage, per purchase or lead.
FUNNEL: tuple[tuple[str, float], ...] = (("initiate_checkout", 0.9), ("add_to_cart", 1.8), ("view_content", 9.0))
#: Disjoint parts that windows are made of: 1-day click, 2 to 7 days, 8 to 28 days, 1-day view.
PARTS = ("p1", "p7", "p28", "pv")
WINDOW_PARTS = {
    "1d_click": ("p1",),
    "7d_click": ("p1", "p7"),
    "28d_click": ("p1", "p7", "p28"),
    "1d_view": ("pv",),
}
_CLICK_DISPERSION, _BUY_DISPERSION, _ORDER_SIGMA = 0.03, 0.05, 0.55
_ENGAGEMENT = {"reactions": 0.006, "comments": 0.0007, "shares": 0.0009, "saves": 0.0006, "likes": 0.0004}
_VIDEO = (
    ("video_plays", 0.62),
    ("video_views", 0.55),
    ("video_p25", 0.6),
    ("video_p50", 0.57),
    ("video_thruplay", 0.75),
    ("video_p75", 0.85),
    ("video_p95", 0.75),
    ("video_30s", 0.95),
    ("video_p100", 0.95),
)
_SETTINGS = np.array([flags[1:] for flags in ATTRIBUTION_SETTINGS], dtype=np.int64)


class AdDays:
    """The rows (day, ad) with delivery in a run of days, and their numbers, computed when first asked for.

    Attributes:
        day: Row of `days` that each row belongs to.
        ad: Ad index of each row.
    """

    def __init__(
        self, model: AccountModel, timeline: Timeline, span: Span, days: I64, moment: int, keep: Any | None = None
    ) -> None:
        """Deliver and round the impressions.

        Args:
            model: The account.
            timeline: Its events as known to the asker.
            span: Campaigns to compute; `keep` picks among their ads.
            days: Ordinals.
            moment: Time of asking, already quantised.
            keep: Boolean over the span's ads; None keeps all.
        """
        self.model, self.span, self.days = model, span, days
        flow = deliver(model, timeline, span, days, moment)
        key = h.cross(model.ad_key[slice(*span.ads)], days[:, None])
        age = maturity.age_in_days(moment, flow.starts)[:, None]
        scale = maturity.correction(key, age, model.corrected_share)
        self.removed = maturity.withdrawn(key, age, model.withdrawn_share)
        scale = np.where(self.removed, 0.0, scale)
        if keep is not None:
            scale = scale * keep
        noise = scale * h.lognormal(key, "impressions", 0.1)
        shown = np.floor(flow.so_far.impressions * noise + h.uniform(key, "impressions phase") * (scale > 0))
        shown[flow.so_far.impressions <= 0] = 0.0
        self._grid = (shown > 0).nonzero()
        self.day = self._grid[0]
        self.ad = self._grid[1] + span.ads[0]
        self.key = key[self._grid]
        self._flow, self._scale = flow, scale[self._grid]
        self._noise = noise[self._grid]
        self._age = age[:, 0]
        self._columns: dict[str, I64] = {"impressions": shown[self._grid].astype(np.int64)}
        self._adset = model.ad_adset[self.ad]
        self._gain: F64 | None = None

    def __len__(self) -> int:
        return len(self.ad)

    def phase(self, purpose: str) -> F64:
        """A uniform number per row for a purpose."""
        return h.uniform(self.key, purpose)

    def hourly_impressions(self) -> I64:
        """Impressions by hour of the day; they sum to the row's impressions."""
        running = self._flow.impressions_by_hour(self.model, self.span)[self._grid]
        edges = np.floor(running * self._noise[:, None] + self.phase("impressions phase")[:, None]).astype(np.int64)
        edges[:, 0] = 0
        edges[:, -1] = self.column("impressions")
        found: I64 = np.diff(np.minimum(edges, edges[:, -1:]), axis=1)
        return found

    def column(self, name: str) -> I64:
        """One additive metric. Conversions are `event:part`, order values `purchase_value:part` in minor units."""
        if name not in self._columns:
            self._compute(name)
        return self._columns[name]

    def _compute(self, name: str) -> None:
        event, _, part = name.partition(":")
        if event == "purchase_value":
            self._order_values()
        elif event == "lpv":
            self._landing_page_views()
        elif part:
            self._conversions(event)
        elif name in ("clicks", "link_clicks"):
            self._clicks()
        elif name == "spend":
            amount = self._flow.so_far.spend[self._grid] * (self._scale * self.model.minor)
            self._columns[name] = np.floor(amount + self.phase("spend phase")).astype(np.int64)
        elif name == "outbound":
            self._columns[name] = self._part_of("link_clicks", 0.95, name)
        elif name in _ENGAGEMENT:
            mean = self.column("impressions") * _ENGAGEMENT[name] * h.lognormal(self.key, name, 0.4)
            self._columns[name] = np.floor(mean + self.phase(name + " phase")).astype(np.int64)
        elif name.startswith("video_"):
            self._videos()
        else:
            raise KeyError(f"no metric {name!r}")

    def _part_of(self, name: str, share: float, purpose: str) -> I64:
        return np.floor(self.column(name) * share + self.phase(purpose)).astype(np.int64)

    def _clicks(self) -> None:
        expected = self._flow.full.clicks[self._grid]
        sigma = np.sqrt(np.log1p(np.minimum(1.0, 1.0 / np.maximum(expected, 1.0)) + _CLICK_DISPERSION))
        mean = self._flow.so_far.clicks[self._grid] * self._scale * h.lognormal(self.key, "clicks", sigma)
        shown = self.column("impressions")
        link = np.minimum(np.floor(mean + self.phase("clicks phase")).astype(np.int64), shown)
        other = np.floor(mean * h.spread(self.key, "other clicks", 0.2, 0.7) + self.phase("other phase"))
        self._columns["link_clicks"] = link
        self._columns["clicks"] = np.minimum(link + other.astype(np.int64), shown)

    def _videos(self) -> None:
        count = self.column("impressions") * self.model.video[self.ad]
        for name, share in _VIDEO:
            part = share * h.spread(self.key, name, 0.92, 1.0) if name != "video_plays" else share
            count = np.floor(count * part + self.phase(name + " phase") * (count > 0)).astype(np.int64)
            self._columns[name] = count
        # Reason: average seconds are not additive, total seconds are.
        self._columns["video_seconds"] = self._columns["video_plays"] * 4

    def _landing_page_views(self) -> None:
        total = self._part_of("link_clicks", 0.82, "lpv")
        early = np.floor(total * 0.97 + self.phase("lpv early")).astype(np.int64)
        zero = np.zeros_like(total)
        for part, value in zip(PARTS, (early, total - early, zero, zero), strict=True):
            self._columns[f"lpv:{part}"] = value

    def _by_window(self, mean: F64, views: F64, purpose: str) -> tuple[I64, I64, I64, I64]:
        """Running counts of the 1, 7 and 28-day click windows, and of the view window, at the row's age."""
        age, phase = self._age, self.phase(purpose)
        one, seven, most = (
            np.floor(mean * maturity.click_share(age, window)[self.day] + phase).astype(np.int64)
            for window in maturity.CLICK_WINDOWS
        )
        seen = np.floor(views * maturity.view_share(age)[self.day] + self.phase(purpose + " view")).astype(np.int64)
        return one, seven, most, seen

    def _means(self) -> tuple[F64, F64]:
        if self._gain is None:
            expected = self._flow.full.buys[self._grid]
            sigma = np.sqrt(np.log1p(np.minimum(1.0, 1.0 / np.maximum(expected, 1.0)) + _BUY_DISPERSION))
            self._gain = h.lognormal(self.key, "conversions", sigma) * (self._scale > 0)
        return self._flow.so_far.buys[self._grid] * self._gain, self._flow.so_far.views[self._grid] * self._gain

    def _store(self, event: str, parts: list[I64]) -> None:
        for part, value in zip(PARTS, parts, strict=True):
            self._columns[f"{event}:{part}"] = value

    def _conversions(self, event: str) -> None:
        mean, views = self._means()
        if event in ("purchase", "lead"):
            mine = self.model.leads[self._adset] == (event == "lead")
            one, seven, most, seen = self._by_window(mean, views, "buys")
            self._store(event, [np.where(mine, x, 0) for x in (one, seven - one, most - seven, seen)])
            return
        shop = ~self.model.leads[self._adset]
        deeper = "purchase"
        for stage, ratio in FUNNEL:
            one, seven, most, seen = self._by_window(mean * ratio, views * ratio, stage)
            extra = (one, seven - one, most - seven, seen)
            base = [self.column(f"{deeper}:{part}") for part in PARTS]
            self._store(
                stage,
                [low + np.where(shop | (stage == "view_content"), x, 0) for low, x in zip(base, extra, strict=True)],
            )
            deeper = stage

    def _order_values(self) -> None:
        """Draw every order once and add up the first ones of each window: values nest and grow like counts."""
        counts = [self.column(f"purchase:{part}") for part in PARTS]
        mean = self.model.order_value[self._adset] * self.model.minor
        edges = np.cumsum(np.stack([np.zeros_like(counts[0]), *counts[:3]]), axis=0)
        clicked = _running_orders(self.key, edges, mean, "order")
        seen = _running_orders(self.key, np.stack([np.zeros_like(counts[3]), counts[3]]), mean, "view order")
        self._store("purchase_value", [*np.diff(clicked, axis=0), seen[1]])

    def settings(self) -> I64:
        """Which parts `value` counts for each row, by its ad set's attribution setting: shape (rows, 3)."""
        found: I64 = _SETTINGS[self.model.attribution[self._adset]]
        return found


def _running_orders(key: h.U64, edges: I64, mean: F64, purpose: str) -> I64:
    """Values of the first `edges[k]` orders of each row, in minor units."""
    total = edges[-1]
    begin = np.concatenate([[0], np.cumsum(total)])
    row = np.repeat(np.arange(len(total)), total)
    number = np.arange(begin[-1]) - begin[row]
    worth = mean[row] * h.lognormal(h.cross(h.derive(key, purpose)[row], number), purpose, _ORDER_SIGMA)
    running = np.concatenate([[0], np.cumsum(np.maximum(np.rint(worth), 1.0).astype(np.int64))])
    found: I64 = running[begin[:-1] + edges] - running[begin[:-1]]
    return found
