"""What holds for a whole Metabase: a few settings, and how long answers are kept.

What belongs here: those. What does not: who may see what (`dashboards.metabase.fences`).

The open-source edition has one cache policy for everything, and nothing that clears the cache. An answer is kept so
many times as long as its query usually takes: with a multiplier of 60, that of a query of two seconds for two minutes.
What is expensive is kept longer than what is cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboards.metabase.canonical import Canonical
from dashboards.metabase.client import Metabase
from dashboards.metabase.ledger import Found, Ledger

_MULTIPLIER = 60
_CHEAP_MS = 500


@dataclass(frozen=True)
class InstanceSettings:
    """What is set for all.

    Attributes:
        site_name: What Metabase calls itself.
        time_zone: In which days of moments begin, e.g. `Europe/Berlin`.
        site_url: Where people reach it; None leaves what is there.
    """

    site_name: str = "Meta Ads Analytics"
    time_zone: str = "UTC"
    site_url: str | None = None

    def wanted(self) -> dict[str, Any]:
        """By Metabase's names."""
        return {
            "site-name": self.site_name,
            "report-timezone": self.time_zone,
            "start-of-week": "monday",
            "enable-public-sharing": False,
            "anon-tracking-enabled": False,
            **({"site-url": self.site_url.rstrip("/")} if self.site_url else {}),
        }


def settle_settings(metabase: Metabase, ledger: Ledger, settings: InstanceSettings) -> None:
    """Sets what differs, and tells what the environment of Metabase holds fast."""
    wanted = settings.wanted()
    present = {one["key"]: one for one in metabase.get("setting")}
    free = {key: value for key, value in wanted.items() if not (present.get(key) or {}).get("is_env_setting")}
    _tell_fixed(metabase, ledger, wanted, present)

    def write(_: Found | None) -> Found:
        metabase.put("setting", free)
        return _found({one["key"]: one for one in metabase.get("setting")}, free)

    ledger.settle("settings", "instance", "of the instance", dict(free), _found(present, free), write)


def _found(present: dict[str, Any], keys: dict[str, Any]) -> Found:
    shows: Canonical = {}
    for key in keys:
        one = present.get(key) or {}
        # Reason: a setting that nobody changed has no value, only a default.
        shows[key] = one.get("default") if one.get("value") is None else one.get("value")
    return Found(0, None, shows)


def _tell_fixed(metabase: Metabase, ledger: Ledger, wanted: dict[str, Any], present: dict[str, Any]) -> None:
    fixed = {key: one for key, one in present.items() if key in wanted and one.get("is_env_setting")}
    if not fixed:
        return
    # Reason: the list of settings hides such values; writing one would be answered like a success and do nothing.
    shown = metabase.get("session/properties")
    for key, one in fixed.items():
        if shown.get(key) != wanted[key]:
            ledger.note(
                f"Setting {key} is fixed by the environment of Metabase ({one.get('env_name')}"
                f"{f'={shown[key]}' if key in shown else ''}) and should be {wanted[key]}: change it there."
            )


def settle_cache(metabase: Metabase, ledger: Ledger) -> None:
    """Sets the policy of the whole instance."""
    wanted: Canonical = {"strategy": {"type": "ttl", "multiplier": _MULTIPLIER, "min_duration_ms": _CHEAP_MS}}

    def look() -> Found:
        listed = metabase.get("cache", model="root").get("data") or []
        root: dict[str, Any] = next((one for one in listed if one.get("model") == "root"), {})
        strategy = root.get("strategy") or {"type": "nocache"}
        return Found(0, None, {"strategy": {key: strategy[key] for key in wanted["strategy"] if key in strategy}})

    def write(_: Found | None) -> Found:
        metabase.put("cache", {"model": "root", "model_id": 0, **wanted})
        return look()

    ledger.settle("cache", "instance", "policy of the instance", wanted, look(), write)
