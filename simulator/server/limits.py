"""Quotas: scores, business-use-case windows, blocks, and the usage headers (sections 4.1 and 4.2).

Everything runs in simulated time. Which call costs how much is decided here; that a call is made at all, by the
dispatcher. Costs of CPU and wall time are not documented, so they follow a plain model: a fixed part per call and
a part per row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from simulator.server.config import Settings
from simulator.server.errors import GraphError, make
from simulator.server.graph import Kind
from simulator.server.window import Window

INSIGHTS_KINDS = frozenset({"insights", "insights_async", "report_run", "report_insights"})
SCORE = {"development": (60.0, 300.0, 300.0), "standard": (9000.0, 300.0, 60.0)}
"""Per tier: maximum of the account's score, seconds in which it decays, seconds of the block."""
BUC = {
    "ads_insights": {"development": 600, "standard": 190_000, "per_ad": 400},
    "ads_management": {"development": 300, "standard": 100_000, "per_ad": 40},
}
"""Calls per rolling hour: a base per tier and a part per active ad."""
ERROR_OF = {"ads_insights": "throttle_insights", "ads_management": "throttle_management"}
APP_ERRORS = frozenset({"throttle_app", "throttle_insights_app", "throttle_insights_global"})
MUTATIONS_PER_SECOND = 100
MAX_BLOCK_SECONDS = 3600.0


@dataclass
class AccountUsage:
    """What one account has used of its quotas."""

    calls: int = 0
    score: float = 0.0
    score_at: float = 0.0
    blocked_until: float = 0.0
    blocked_by: str = "throttle_user"
    blocked_calls: int = 0
    mutations: tuple[int, int] = (0, 0)
    active: tuple[float, int] = (-1.0, 0)
    forced: dict[str, float] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=lambda: {name: Window() for name in BUC})


class Limits:
    """The quotas of an app.

    Attributes:
        active_ads: How many ads of an account are active at a moment (epoch seconds).
    """

    def __init__(self, settings: Settings, active_ads: Callable[[str, float], int]) -> None:
        self.settings = settings
        self.active_ads = active_ads
        self.reset()

    def reset(self) -> None:
        """Forgets all usage and lifts every block."""
        self.accounts: dict[str, AccountUsage] = {}
        self.app = Window()
        self.load, self.load_at, self.turn = 0.0, 0.0, 0
        self.app_forced, self.app_blocked_until, self.app_blocked_by = 0.0, 0.0, "throttle_app"

    def of(self, account_id: str) -> AccountUsage:
        """Returns the usage of an account."""
        return self.accounts.setdefault(account_id, AccountUsage())

    def quota(self, account_id: str, usage_type: str, now: float) -> float:
        """Returns calls per hour: base + per active ad - 0.001 x user errors."""
        usage = self.of(account_id)
        # Reason: active ads change slowly and counting them on every call would cost more than the call.
        if usage.active[0] < 0 or abs(now - usage.active[0]) > 900:
            usage.active = (now, self.active_ads(account_id, now))
        rule = BUC[usage_type]
        errors = usage.windows[usage_type].user_errors if usage_type == "ads_insights" else 0
        return rule[self.settings.tier] + rule["per_ad"] * usage.active[1] - 0.001 * errors

    def admit(self, kind: Kind, account_id: str | None, now: float, *, write: bool) -> None:
        """Counts a call and refuses it when a quota is used up.

        Raises:
            GraphError: 17, 613, 4, 80000 or 80004.
        """
        usage_type = "ads_insights" if kind in INSIGHTS_KINDS else "ads_management"
        if self.settings.limits and now < self.app_blocked_until:
            raise make(self.app_blocked_by)
        if account_id is None:
            self.app.expire(now)
            self.app.add(now, 1, 0, 0)
            if self.settings.limits and self.app.calls > self._app_quota():
                raise make("throttle_app")
            return
        usage = self.of(account_id)
        usage.calls += 1
        window = usage.windows[usage_type]
        window.expire(now)
        self._drain(usage, now)
        if self.settings.limits:
            self._refuse_blocked(usage, window, usage_type, now)
        usage.score += 3 if write else 1
        self._charge(usage, window, account_id, usage_type, now)
        if kind in INSIGHTS_KINDS:
            self._platform(now)
        if write:
            self._mutation(usage, now)

    def _drain(self, usage: AccountUsage, now: float) -> None:
        most, decay, _ = SCORE[self.settings.tier]
        usage.score = max(0.0, usage.score - max(0.0, now - usage.score_at) * most / decay)
        usage.score_at = now

    def _refuse_blocked(self, usage: AccountUsage, window: Window, usage_type: str, now: float) -> None:
        for name, holder in (("score", usage), (usage_type, window)):
            until = holder.blocked_until
            if now >= until:
                continue
            usage.blocked_calls += 1
            # Reason: further calls lengthen the block (section 4.3); a tenth of its base each, an hour at most.
            step = SCORE[self.settings.tier][2] / 10
            holder.blocked_until = max(until, min(until + step, now + MAX_BLOCK_SECONDS))
            raise make(usage.blocked_by if name == "score" else ERROR_OF[usage_type])

    def _charge(self, usage: AccountUsage, window: Window, account_id: str, usage_type: str, now: float) -> None:
        window.add(now, 1, 0, 0)
        if not self.settings.limits:
            return
        most, _, block = SCORE[self.settings.tier]
        if usage.score > most:
            usage.blocked_until = now + block
            # Reason: both answers are documented for this score; which one comes cannot be told beforehand.
            usage.blocked_by = "throttle_user" if usage.calls % 2 else "throttle_account"
            raise make(usage.blocked_by)
        limit = self.quota(account_id, usage_type, now)
        if max(window.percentages(limit)) > 100:
            window.blocked_until = window.regain(now, limit)
            raise make(ERROR_OF[usage_type])

    def _platform(self, now: float) -> None:
        """The insights platform's capacity: at the limit every second call passes."""
        rate = self.settings.insights_calls_per_minute / 60
        self.load = max(0.0, self.load - max(0.0, now - self.load_at) * rate) + 1
        self.load_at = now
        if self.settings.limits and self.load > self.settings.insights_calls_per_minute:
            self.turn += 1
            if self.turn % 2:
                raise make("throttle_insights_app" if self.turn % 4 == 1 else "throttle_insights_global")

    def _mutation(self, usage: AccountUsage, now: float) -> None:
        second, count = usage.mutations
        usage.mutations = (int(now), count + 1 if second == int(now) else 1)
        if self.settings.limits and usage.mutations[1] > MUTATIONS_PER_SECOND:
            raise make("mutation_rate")

    def spent(self, kind: Kind, account_id: str | None, now: float, rows: int, error: GraphError | None) -> None:
        """Counts the CPU and wall time of an answered call, and errors that are the caller's."""
        if account_id is None:
            return
        usage_type = "ads_insights" if kind in INSIGHTS_KINDS else "ads_management"
        window = self.of(account_id).windows[usage_type]
        cpu = 0.02 + 0.00005 * rows
        window.add(now, 0, cpu, 1.5 * cpu + self.settings.latency_ms / 1000)
        if error is not None and error.code == 100:
            window.user_errors += 1

    def block(self, account_id: str, name: str, seconds: float, now: float) -> None:
        """Blocks an account, or the app, as the throttle error `name` would for so many seconds.

        With 0 seconds nothing is blocked and only the headers of the next second show the limit as reached.
        """
        if name in APP_ERRORS:
            self.app_forced, self.app_blocked_until, self.app_blocked_by = now + max(seconds, 1), now + seconds, name
            return
        usage = self.of(account_id)
        for usage_type, error in ERROR_OF.items():
            if name == error:
                usage.windows[usage_type].blocked_until = now + seconds
                usage.forced[usage_type] = now + max(seconds, 1)
                return
        usage.blocked_until, usage.blocked_by = now + seconds, name
        usage.forced["score"] = now + max(seconds, 1)

    def _app_quota(self) -> float:
        return 200.0 * (self.settings.app_users if self.settings.tier == "standard" else 5)

    def headers(self, kind: Kind, account_id: str | None, now: float) -> dict[str, str]:
        """Returns the usage headers; all but that of insights only once enough calls were made (section 4.2)."""
        found: dict[str, str] = {}
        self.app.expire(now)
        app_reached = now < self.app_forced
        if self.app.calls >= self.settings.usage_after or app_reached:
            percent = math.floor(100 * self.app.calls / self._app_quota())
            percent = max(percent, 100) if app_reached else percent
            found["X-App-Usage"] = _dump({"call_count": percent, "total_time": 0, "total_cputime": 0})
        if account_id is None:
            return found
        usage = self.of(account_id)
        tier = f"{self.settings.tier}_access"
        entries = [e for name in BUC if (e := self._entry(account_id, name, now, tier)) is not None]
        if kind in INSIGHTS_KINDS:
            # Reason: Airbyte pings the edge for this header before its first job and cannot go on without it.
            found["X-FB-Ads-Insights-Throttle"] = self._insights_load(entries, now, tier, app_reached=app_reached)
        if usage.calls < self.settings.usage_after and not usage.forced and not app_reached:
            return found
        most, decay, _ = SCORE[self.settings.tier]
        self._drain(usage, now)
        percent_score = 100 * usage.score / most
        left = decay * usage.score / most
        if now < max(usage.blocked_until, usage.forced.get("score", 0.0)):
            percent_score, left = max(percent_score, 100.0), max(left, usage.blocked_until - now)
        found["X-Ad-Account-Usage"] = _dump(
            {
                "acc_id_util_pct": round(percent_score, 2),
                "reset_time_duration": math.ceil(left),
                "ads_api_access_tier": tier,
            }
        )
        if entries:
            found["X-Business-Use-Case-Usage"] = _dump({account_id: entries})
        return found

    def _insights_load(self, entries: list[dict[str, int | str]], now: float, tier: str, *, app_reached: bool) -> str:
        rate = self.settings.insights_calls_per_minute
        load = max(0.0, self.load - max(0.0, now - self.load_at) * rate / 60)
        worst = max((int(e["call_count"]) for e in entries if e["type"] == "ads_insights"), default=0)
        return _dump(
            {
                "app_id_util_pct": round(max(100 * load / rate, 100.0 * app_reached), 2),
                "acc_id_util_pct": worst,
                "ads_api_access_tier": tier,
            }
        )

    def _entry(self, account_id: str, usage_type: str, now: float, tier: str) -> dict[str, int | str] | None:
        usage = self.of(account_id)
        window = usage.windows[usage_type]
        window.expire(now)
        forced = now < usage.forced.get(usage_type, 0.0)
        if not window.calls and not forced:
            return None
        calls, cpu, wall = window.percentages(self.quota(account_id, usage_type, now))
        blocked = now < window.blocked_until
        if blocked or forced:
            calls = max(calls, 100.0)
        return {
            "type": usage_type,
            "call_count": math.floor(calls),
            "total_cputime": math.floor(cpu),
            "total_time": math.floor(wall),
            # Reason: minutes here, while reset_time_duration above is in seconds (section 4.2).
            "estimated_time_to_regain_access": math.ceil((window.blocked_until - now) / 60) if blocked else 0,
            "ads_api_access_tier": tier,
        }


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
