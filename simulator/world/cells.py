"""Breakdowns: which cells there are and how an ad's delivery falls into them.

What belongs here: the families of breakdowns, their values and weights. What does not: splitting (`split`) and
which combinations are errors (the server says that; here an unknown combination has no rows).

A family is always split into its finest cells and merged afterwards, so `age` rows are exact sums of
`age, gender` rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.world import hashing as h
from simulator.world.hashing import F64, I64
from simulator.world.model import AccountModel

ADVERTISER_HOURS = "hourly_stats_aggregated_by_advertiser_time_zone"
AUDIENCE_HOURS = "hourly_stats_aggregated_by_audience_time_zone"
#: Since 2026-08-06 these need the account's opt-in; without it there are no rows and no error (fact sheet 2.4).
OPT_IN = frozenset({"impression_device", AUDIENCE_HOURS, "frequency_value"})
#: Type-1 breakdowns: no off-Meta actions (fact sheet 2.4).
NO_PIXEL = frozenset({"region", "comscore_market", ADVERTISER_HOURS, AUDIENCE_HOURS})

_AGES = (("18-24", 18, 24), ("25-34", 25, 34), ("35-44", 35, 44), ("45-54", 45, 54), ("55-64", 55, 64), ("65+", 65, 99))
_AGE_WEIGHTS, _AGE_TILT = (0.9, 1.5, 1.3, 1.0, 0.8, 0.6), (0.7, 1.0, 1.15, 1.1, 1.0, 0.9)
_GENDERS = (("female", 2, 1.0, 1.1), ("male", 1, 0.8, 0.9), ("unknown", 0, 0.03, 0.8))
_REGIONS = {
    "DE": ("Bayern", "Berlin", "Hamburg", "Hessen", "Nordrhein-Westfalen"),
    "AT": ("Tirol", "Wien"),
    "CH": ("Genève", "Zürich"),
    "US": ("California", "Florida", "New York", "Texas", "Washington"),
    "CA": ("British Columbia", "Ontario"),
    "JP": ("Aichi", "Kyoto", "Osaka", "Tokyo"),
    "GB": ("England", "Scotland", "Wales"),
    "IE": ("Cork", "Dublin"),
}
_PLACEMENTS = (
    ("facebook", "feed", "android_smartphone", "mobile_app", 22.0, 1.0),
    ("facebook", "feed", "iphone", "mobile_app", 17.0, 1.2),
    ("facebook", "feed", "desktop", "desktop", 6.0, 1.5),
    ("facebook", "facebook_reels", "android_smartphone", "mobile_app", 7.0, 0.7),
    ("facebook", "facebook_reels", "iphone", "mobile_app", 5.0, 0.8),
    ("facebook", "marketplace", "android_smartphone", "mobile_app", 2.0, 0.8),
    ("facebook", "right_hand_column", "desktop", "desktop", 1.2, 0.9),
    ("instagram", "feed", "android_smartphone", "mobile_app", 8.0, 1.0),
    ("instagram", "feed", "iphone", "mobile_app", 12.0, 1.25),
    ("instagram", "instagram_stories", "iphone", "mobile_app", 9.0, 0.9),
    ("instagram", "instagram_stories", "android_smartphone", "mobile_app", 6.0, 0.8),
    ("instagram", "instagram_reels", "iphone", "mobile_app", 8.0, 0.85),
    ("audience_network", "an_classic", "android_smartphone", "mobile_web", 2.0, 0.3),
    ("messenger", "messenger_inbox", "iphone", "mobile_app", 0.6, 0.6),
)


def hour_label(hour: int) -> str:
    """An hourly cell's value, e.g. `10:00:00 - 10:59:59`."""
    return f"{hour:02d}:00:00 - {hour:02d}:59:59"


@dataclass(frozen=True)
class _Family:
    keys: tuple[str, ...]
    values: Sequence[tuple[str, ...]]
    weights: list[float]
    tilt: list[float]
    overlap: float = 0.0
    allowed: Callable[[AccountModel, int], list[bool]] | None = None


@dataclass(frozen=True)
class Breakdown:
    """A requested breakdown on one account.

    Attributes:
        names: The requested columns, in order.
        values: Values of each row cell.
        merge: For every fine cell the row cell it belongs to.
        tilt: How much likelier than average conversions are, by fine cell.
        overlap: How much cells' reach exceeds their share.
        pixel: Whether off-Meta actions are returned.
        hourly: Whether cells are hours of the advertiser's day.
        weights: Function from ad indices to fine-cell weights of impressions.
    """

    names: tuple[str, ...]
    values: list[tuple[str, ...]]
    merge: I64
    tilt: F64
    overlap: float
    pixel: bool
    hourly: bool
    weights: Callable[[I64], F64]

    @property
    def without_reach(self) -> bool:
        """Whether reach and frequency come back as 0 (hourly breakdowns)."""
        return ADVERTISER_HOURS in self.names or AUDIENCE_HOURS in self.names


def _age_gender_allowed(model: AccountModel, adset: int) -> list[bool]:
    target = model.targeting[adset]
    flags = []
    for _, low, high in _AGES:
        fits = high >= target["age_min"] and low <= target["age_max"]
        flags += [fits and (code == 0 or code in target["genders"]) for _, code, _, _ in _GENDERS]
    return flags


def _placement_allowed(model: AccountModel, adset: int) -> list[bool]:
    return [platform in model.targeting[adset]["publisher_platforms"] for platform, *_ in _PLACEMENTS]


def _families(model: AccountModel) -> list[_Family]:
    regions = [
        (country, region)
        for country in model.countries
        for region in _REGIONS.get(country, (f"{country} North", f"{country} South"))
    ]
    first = model.countries[0]
    region_weights = [
        (3.0 if country == first else 0.7) * (1.0 + 0.35 * number) for number, (country, _) in enumerate(regions)
    ]
    even = [1.0] * 24
    hours = np.diff(model.demand.hour_edges).tolist()
    return [
        _Family(
            ("age", "gender"),
            [(age, gender) for age, _, _ in _AGES for gender, *_ in _GENDERS],
            [weight * share for weight in _AGE_WEIGHTS for _, _, share, _ in _GENDERS],
            [tilt * more for tilt in _AGE_TILT for _, _, _, more in _GENDERS],
            allowed=_age_gender_allowed,
        ),
        _Family(("country", "region"), regions, region_weights, [1.0] * len(regions)),
        _Family(
            ("comscore_market",), [(f"{region} market",) for _, region in regions], region_weights, [1.0] * len(regions)
        ),
        _Family(
            ("publisher_platform", "platform_position", "impression_device", "device_platform"),
            [cell[:4] for cell in _PLACEMENTS],
            [cell[4] for cell in _PLACEMENTS],
            [cell[5] for cell in _PLACEMENTS],
            overlap=0.12,
            allowed=_placement_allowed,
        ),
        _Family((ADVERTISER_HOURS,), [(hour_label(hour),) for hour in range(24)], hours, even),
        _Family((AUDIENCE_HOURS,), [(hour_label(hour),) for hour in range(24)], hours, even),
        _Family(
            ("frequency_value",), [(v,) for v in ("1", "2", "3", "4", "5", "6-10")], [60, 20, 9, 5, 3, 3], [1.0] * 6
        ),
        _Family(("user_segment_key",), [("prospecting",), ("engaged",), ("existing",)], [70, 20, 10], [0.8, 1.3, 1.6]),
        _Family(
            ("product_id",),
            [(f"{number}, product {number}",) for number in range(1001, 1005)],
            [4, 3, 2, 1],
            [1.0] * 4,
            0.2,
        ),
    ]


def find_breakdown(model: AccountModel, names: tuple[str, ...]) -> Breakdown | None:
    """The breakdown, or None if this account gets no rows for it (unknown combination, or no opt-in)."""
    if OPT_IN & set(names) and not model.opted_in:
        return None
    family = next((family for family in _families(model) if set(names) <= set(family.keys)), None)
    if family is None:
        return None
    columns = [family.keys.index(name) for name in names]
    merged: dict[tuple[str, ...], int] = {}
    merge = [merged.setdefault(tuple(value[column] for column in columns), len(merged)) for value in family.values]
    base, count = np.array(family.weights, dtype=np.float64), len(family.values)
    salt = "+".join(family.keys)

    def weights(ads: I64) -> F64:
        key = h.cross(h.derive(model.ad_shared_key[ads], salt)[:, None], np.arange(count)[None, :])
        found = base * np.exp(0.25 * h.normal(key))
        if family.allowed is not None:
            adsets, place = np.unique(model.ad_adset[ads], return_inverse=True)
            found *= np.array([family.allowed(model, int(adset)) for adset in adsets], dtype=np.float64).reshape(
                -1, count
            )[place]
        return found

    return Breakdown(
        names=names,
        values=list(merged),
        merge=np.array(merge, dtype=np.int64),
        tilt=np.array(family.tilt, dtype=np.float64),
        overlap=family.overlap,
        pixel=not NO_PIXEL & set(names),
        hourly=ADVERTISER_HOURS in names,
        weights=weights,
    )
