"""Accounts, campaigns, ad sets and ads as the graph shows them at a moment.

What belongs here: the JSON of these four. What does not: creatives, pixels and studies (`assets`), the rules of
statuses (`status`).

Shapes follow fact sheet 6.1 and 6.2: budgets are numeric strings in minor units, times are ISO in the account's zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from simulator.world import status
from simulator.world.formatter import OPTIMIZATION
from simulator.world.ids import business_id, object_id
from simulator.world.model import ATTRIBUTION_SETTINGS, NO_END, AccountModel
from simulator.world.timeline import STATUSES, Timeline

_TIMEZONE_IDS = {
    "Europe/Berlin": 57,
    "America/New_York": 7,
    "Asia/Tokyo": 75,
    "Europe/London": 63,
    "America/Los_Angeles": 1,
    "Australia/Sydney": 15,
}
_BUSINESS_NAMES = ("Nordlicht Group", "Kōbō & Harrow Ltd", "Pacific Trail Inc")
_LEARNING_SECONDS = 7 * 86_400


class LazyData(Mapping[str, Any]):
    """A mapping in which some values are computed when first read (they would cost a sum over all days)."""

    def __init__(self, values: dict[str, Any], lazy: dict[str, Callable[[], Any]]) -> None:
        self._values, self._lazy = values, lazy

    def __getitem__(self, key: str) -> Any:
        if key not in self._values and key in self._lazy:
            self._values[key] = self._lazy[key]()
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield from (key for key in self._lazy if key not in self._values)

    def __len__(self) -> int:
        return len(set(self._values) | set(self._lazy))

    def __contains__(self, key: object) -> bool:
        return key in self._values or key in self._lazy


def business_data(seed: int, index: int) -> dict[str, Any]:
    """A business: the owner of accounts, one per client."""
    name = _BUSINESS_NAMES[index] if index < len(_BUSINESS_NAMES) else f"Client {index + 1} GmbH"
    return {"id": business_id(seed, index), "name": name, "verification_status": "verified"}


def min_daily_budget(model: AccountModel) -> int:
    """The lowest daily budget the account accepts, in minor units."""
    return max(1, round(model.price_level)) * model.minor


def account_data(model: AccountModel, moment: int, amount_spent: Callable[[], int]) -> LazyData:
    """An ad account; `amount_spent` (minor units) is asked only if somebody reads it."""
    owner = business_data(model.seed, model.business)
    created = model.clock.midnight(model.first_day - 400) + 36_672
    values = {
        "id": f"act_{model.id}",
        "account_id": model.id,
        "name": model.name,
        "account_status": 1,
        "disable_reason": 0,
        "currency": model.currency,
        "timezone_id": _TIMEZONE_IDS.get(model.clock.zone_name, 1),
        "timezone_name": model.clock.zone_name,
        "timezone_offset_hours_utc": model.clock.offset_hours(moment),
        "spend_cap": "0",
        "min_daily_budget": min_daily_budget(model),
        "min_campaign_group_spend_cap": str(100 * min_daily_budget(model)),
        "business": {"id": owner["id"], "name": owner["name"]},
        "owner": owner["id"],
        "business_name": owner["name"],
        "business_country_code": model.countries[0],
        "is_prepay_account": False,
        "created_time": model.clock.iso(created),
        "age": round((moment - created) / 86_400, 4),
        "attribution_spec": _attribution_spec(0),
    }
    return LazyData(
        values,
        {"amount_spent": lambda: str(amount_spent()), "balance": lambda: str(amount_spent() % (500 * model.minor))},
    )


class EntityView:
    """An account's objects at one moment. Statuses are read for all objects at once and spend once a day."""

    def __init__(
        self, model: AccountModel, timeline: Timeline, moment: int, spend_today: Callable[[str, int], int]
    ) -> None:
        """Prepare.

        Args:
            model: The account.
            timeline: Its events.
            moment: Time of asking.
            spend_today: Minor units spent today by (kind, index), for `budget_remaining`.
        """
        self._model, self._timeline, self._moment, self._spend_today = model, timeline, moment, spend_today
        self._statuses: dict[str, np.ndarray] = {}

    def exists(self, kind: str, index: int) -> bool:
        """Whether an object has been created, deleted ones included."""
        return 0 <= index < self._model.count(kind) and self._timeline.events_start(kind, index) <= self._moment

    def existing(self, kind: str, members: np.ndarray | None = None) -> list[int]:
        """Indices of all created objects of a kind, or of some members."""
        candidates = range(self._model.count(kind)) if members is None else members.tolist()
        return [index for index in candidates if self.exists(kind, index)]

    def data(self, kind: str, index: int) -> Mapping[str, Any]:
        """The JSON object of a campaign, ad set or ad."""
        return {"campaign": self._campaign, "adset": self._adset, "ad": self._ad}[kind](index)

    def _id(self, kind: str, index: int) -> str:
        return object_id(self._model.seed, self._model.index, kind, index)

    def _value(self, kind: str, index: int, attribute: str) -> Any:
        return self._timeline.value(kind, index, attribute, self._moment)

    def _common(self, kind: str, index: int) -> dict[str, Any]:
        if kind not in self._statuses:
            self._statuses[kind] = status.effective(self._model, self._timeline, kind, self._moment)
        own = self._value(kind, index, "status") or STATUSES[0]
        updated = int(self._timeline.updated(kind, np.array([index]), self._moment)[0])
        return {
            "id": self._id(kind, index),
            "account_id": self._model.id,
            "name": self._value(kind, index, "name"),
            "status": own,
            "configured_status": own,
            "effective_status": status.NAMES[int(self._statuses[kind][index])],
            "created_time": self._model.clock.iso(self._timeline.events_start(kind, index)),
            "updated_time": self._model.clock.iso(updated),
        }

    def _budgets(self, kind: str, index: int) -> dict[str, Any]:
        daily, lifetime = self._value(kind, index, "daily_budget"), self._value(kind, index, "lifetime_budget")
        if daily is None and lifetime is None:
            return {}
        if lifetime and not daily:
            start, end = int(self._model.flight_start[index]), int(self._model.flight_end[index])
            left = min(1.0, max(0.0, (end - self._moment) / max(1, end - start)))
            return {
                "daily_budget": "0",
                "lifetime_budget": str(int(lifetime)),
                "budget_remaining": str(int(lifetime * left)),
            }
        remaining = max(0, int(daily) - self._spend_today(kind, index))
        return {"daily_budget": str(int(daily)), "lifetime_budget": "0", "budget_remaining": str(remaining)}

    def _campaign(self, index: int) -> dict[str, Any]:
        model, data = self._model, self._common("campaign", index)
        data |= {
            "objective": model.objective[index],
            "buying_type": "AUCTION",
            "special_ad_categories": [],
            "start_time": model.clock.iso(model.clock.midnight(model.first_day)),
            "is_adset_budget_sharing_enabled": False,
        }
        if model.campaign_budget[index]:
            data |= {"bid_strategy": self._value("campaign", index, "bid_strategy") or "LOWEST_COST_WITHOUT_CAP"}
            data |= self._budgets("campaign", index)
        cap = self._value("campaign", index, "spend_cap")
        return data if cap is None else data | {"spend_cap": str(cap)}

    def _adset(self, index: int) -> dict[str, Any]:
        model, data = self._model, self._common("adset", index)
        campaign = int(model.adset_campaign[index])
        pixel = object_id(model.seed, model.index, "adspixel", 0)
        event = "LEAD" if model.leads[index] else "PURCHASE"
        data |= {
            "campaign_id": self._id("campaign", campaign),
            "billing_event": "IMPRESSIONS",
            "optimization_goal": OPTIMIZATION[model.objective[campaign]],
            "destination_type": "WEBSITE",
            "promoted_object": {"pixel_id": pixel, "custom_event_type": event},
            "attribution_spec": _attribution_spec(int(model.attribution[index])),
            "learning_stage_info": self._learning(index, campaign),
            "targeting": self._value("adset", index, "targeting") or model.targeting[index],
            "start_time": model.clock.iso(int(model.flight_start[index]) or model.clock.midnight(model.first_day)),
        }
        if int(model.flight_end[index]) != NO_END:
            data["end_time"] = model.clock.iso(int(model.flight_end[index]) - 1)
        if not model.campaign_budget[campaign]:
            data["bid_strategy"] = self._value("adset", index, "bid_strategy") or "LOWEST_COST_WITHOUT_CAP"
        data |= self._budgets("adset", index)
        bid = self._value("adset", index, "bid_amount")
        return data if bid is None else data | {"bid_amount": int(bid)}

    def _learning(self, index: int, campaign: int) -> dict[str, Any]:
        edits = [
            self._timeline.since("adset", index, name, self._moment) or 0
            for name in ("daily_budget", "lifetime_budget", "status", "bid_amount")
        ]
        edits.append(self._timeline.since("campaign", campaign, "daily_budget", self._moment) or 0)
        since = self._moment - max(edits)
        done = since >= _LEARNING_SECONDS
        # Reason: learning ends at about 50 events; the count shown here only follows the clock.
        count = 50 if done else int(50 * since / _LEARNING_SECONDS)
        name = ATTRIBUTION_SETTINGS[int(self._model.attribution[index])][0]
        windows = {"7d_click_1d_view": ["7d_click", "1d_view"]}.get(name, [name])
        return {
            "status": "SUCCESS" if done else "LEARNING",
            "conversions": count,
            "last_sig_edit_ts": max(edits),
            "attribution_windows": windows,
        }

    def _ad(self, index: int) -> dict[str, Any]:
        model, data = self._model, self._common("ad", index)
        adset = int(model.ad_adset[index])
        pixel = object_id(model.seed, model.index, "adspixel", 0)
        return data | {
            "adset_id": self._id("adset", adset),
            "campaign_id": self._id("campaign", int(model.adset_campaign[adset])),
            "creative": {"id": self._id("adcreative", index)},
            "tracking_specs": [{"action.type": ["offsite_conversion"], "fb_pixel": [pixel]}],
            "conversion_domain": "shop.example",
        }


def _attribution_spec(setting: int) -> list[dict[str, Any]]:
    _, _, week, view = ATTRIBUTION_SETTINGS[setting]
    spec: list[dict[str, Any]] = [{"event_type": "CLICK_THROUGH", "window_days": 7 if week else 1}]
    return [*spec, {"event_type": "VIEW_THROUGH", "window_days": 1}] if view else spec
