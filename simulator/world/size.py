"""How big a world is: presets and the text form of the command line.

What belongs here: counts and switches. What does not: anything drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

#: Currency, time zone and countries of the accounts, in turn.
Market = tuple[str, str, tuple[str, ...]]

MARKETS: tuple[Market, ...] = (
    ("EUR", "Europe/Berlin", ("DE", "AT", "CH")),
    ("USD", "America/New_York", ("US", "CA")),
    ("JPY", "Asia/Tokyo", ("JP",)),
    ("GBP", "Europe/London", ("GB", "IE")),
    ("USD", "America/Los_Angeles", ("US", "MX")),
    ("AUD", "Australia/Sydney", ("AU", "NZ")),
    ("CHF", "Europe/Zurich", ("CH", "LI")),
    ("BRL", "America/Sao_Paulo", ("BR",)),
    ("KRW", "Asia/Seoul", ("KR",)),
    ("INR", "Asia/Kolkata", ("IN",)),
)


@dataclass(frozen=True)
class WorldSize:
    """The shape of a world.

    Attributes:
        accounts: Ad accounts. They share out over about three businesses per five accounts.
        campaigns_per_account: Campaigns in each account.
        adsets_per_campaign: Ad sets in each campaign.
        ads_per_adset: Ads in each ad set.
        history_days: Days of delivery before the anchor.
        ads_per_account: Cuts the last ad sets short so that an account has this many ads; 0 for no cut.
        studies: Split tests in the first account; every other account has one if it has room.
        full_actions: Whether rows carry the engagement and funnel action types, or only clicks, landing page
            views and purchases or leads (about a fifth of the bytes).
        shuffle: Whether rows within a block of days come in a scrambled (but fixed) order, so that clients
            are tested on not relying on one.
        withdrawn_share: Share of (ad, day) rows that are removed 1 to 10 days later.
        corrected_share: Share of (ad, day) rows whose delivery is lowered within two days.
        markets: Which entries of `MARKETS` the accounts cycle through; empty for all.
    """

    accounts: int = 5
    campaigns_per_account: int = 5
    adsets_per_campaign: int = 2
    ads_per_adset: int = 3
    history_days: int = 420
    ads_per_account: int = 0
    studies: int = 3
    full_actions: bool = True
    shuffle: bool = False
    withdrawn_share: float = 0.0015
    corrected_share: float = 0.06
    markets: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> WorldSize:
        """Read a preset's name or a list such as `accounts=20,ads=500,history=400`.

        A list may start with a preset: `demo,shuffle=1`. `ads` means ads per account, from which campaigns and
        ad sets follow unless given (`campaigns`, `adsets`, `ads_per_adset`); any field name works too.

        Raises:
            ValueError: On an unknown preset or key, or a value that is no number.
        """
        size, values = LARGE, {}
        for number, part in enumerate(piece.strip() for piece in text.split(",") if piece.strip()):
            key, found, raw = part.partition("=")
            if not found:
                if number or key not in PRESETS:
                    raise ValueError(
                        f"world size {text!r}: {part!r} is neither a preset {sorted(PRESETS)} nor key=number"
                    )
                size = PRESETS[key]
                continue
            values[_ALIASES.get(key.strip(), key.strip())] = _number(text, raw)
        known = {field.name for field in fields(cls)} - {"markets"}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"world size {text!r}: unknown {unknown}; known are {sorted(known | set(_ALIASES))}")
        ads = int(values.get("ads_per_account", 0))
        if ads:
            per_adset = int(values.setdefault("ads_per_adset", min(5, ads)))
            adsets = int(values.setdefault("adsets_per_campaign", min(5, -(-ads // per_adset))))
            values.setdefault("campaigns_per_account", -(-ads // (per_adset * adsets)))
        typed = {key: type(getattr(size, key))(value) for key, value in values.items()}
        return replace(size, **typed)

    def market(self, index: int) -> Market:
        """Currency, time zone and countries of an account."""
        chosen = self.markets or tuple(range(len(MARKETS)))
        return MARKETS[chosen[index % len(chosen)]]

    def business_of(self, index: int) -> int:
        """The business (client) that owns an account: three businesses for five accounts."""
        return index * 3 // 5


def _number(text: str, raw: str) -> float:
    try:
        return float(raw)
    except ValueError as error:
        raise ValueError(f"world size {text!r}: {raw!r} is no number") from error


_ALIASES = {
    "ads": "ads_per_account",
    "history": "history_days",
    "campaigns": "campaigns_per_account",
    "adsets": "adsets_per_campaign",
}

LARGE = WorldSize(full_actions=False, studies=1)
PRESETS: dict[str, WorldSize] = {
    "demo": WorldSize(),
    "small": WorldSize(
        accounts=2,
        campaigns_per_account=3,
        adsets_per_campaign=1,
        ads_per_adset=2,
        history_days=120,
        studies=1,
        markets=(0, 2),
    ),
    "large": LARGE,
}
