"""What changed, and which campaign it came from: arithmetic, nothing else.

What belongs here: exact splits of a change of a sum, and of a change of a ratio of sums. What does not: where the
numbers come from (`dashboards.reports.summary`), words (`dashboards.reports.sentences`).

A part says where a change can be found in the numbers; it never says why it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Generic, TypeVar

Number = int | float | Decimal | Fraction
K = TypeVar("K")


@dataclass(frozen=True)
class Pair(Generic[K]):
    """A campaign's sums in the period and in the one before.

    Attributes:
        key: Tells it from others.
        numerator: Its part of the numerator in the period; 0 where it had none.
        denominator: Its part of the denominator in the period.
        numerator_before: The same in the period before.
        denominator_before: The same in the period before.
    """

    key: K
    numerator: Number
    denominator: Number
    numerator_before: Number
    denominator_before: Number


@dataclass(frozen=True)
class Part(Generic[K]):
    """What came from one campaign.

    Attributes:
        key: Which.
        rate: From its own ratio, which was another than before; 0 where it has none in one of the periods.
        mix: From its share of the denominator, which was another than before; also all that came from a campaign that
            has no ratio in one of the periods: one that began or ended, or spent without a conversion.
    """

    key: K
    rate: Fraction
    mix: Fraction

    @property
    def total(self) -> Fraction:
        """Both together, in the unit of the ratio."""
        return self.rate + self.mix


@dataclass(frozen=True)
class Split(Generic[K]):
    """A change of a ratio, whole and in parts.

    Attributes:
        now: The ratio of the period.
        before: That of the period before.
        parts: One for each campaign, the largest first; they sum up to `now - before` exactly.
    """

    now: Fraction
    before: Fraction
    parts: tuple[Part[K], ...]

    @property
    def change(self) -> Fraction:
        """How much larger the ratio is."""
        return self.now - self.before


def split_sum(values: Iterable[tuple[K, Number, Number]]) -> list[tuple[K, Fraction]]:
    """The change of a sum by campaign, the largest first.

    Args:
        values: Campaign, its value in the period, its value in the one before.
    """
    found = [(key, Fraction(now) - Fraction(before)) for key, now, before in values]
    return sorted(found, key=lambda one: (-abs(one[1]), str(one[0])))


def split_ratio(pairs: Sequence[Pair[K]]) -> Split[K] | None:
    """The change of a ratio of sums by campaign; None where one of the periods has no ratio.

    With R = N / D the ratio of all, s = d / D a campaign's share of the denominator, r = n / d its own ratio, a bar for
    the mean of both periods and Δ for the difference between them:

        ΔR = Σ  s̄ · Δr            (rate)
           + Σ  Δs · (r̄ − R̄)      (mix)

    R̄ changes no sum, since the Δs sum up to 0; with it, a campaign that grows raises the ratio if it is better than
    all are on average, and lowers it if it is worse. Neither period is favoured: turned round, every part has the other
    sign. Source: Z. Griliches and H. Regev, "Firm productivity in Israeli industry 1979-1988", Journal of Econometrics
    65 (1995), 175-203; the product s·r is split as by T. L. Bennet (1920), which is Shapley's split of two factors.

    A campaign without a denominator in one of the periods has no r there. Both of its parts together are
    Δ(n / D) − R̄ · Δs, which is the same sum and needs no r; all of it is counted as mix. So a campaign that spent
    without a conversion has its part in the change of CPA, and parts still sum up exactly.

    Args:
        pairs: Every campaign of one of the periods, each once; in any order.
    """
    denominator = sum((Fraction(one.denominator) for one in pairs), Fraction(0))
    denominator_before = sum((Fraction(one.denominator_before) for one in pairs), Fraction(0))
    if not denominator or not denominator_before:
        return None
    now = sum((Fraction(one.numerator) for one in pairs), Fraction(0)) / denominator
    before = sum((Fraction(one.numerator_before) for one in pairs), Fraction(0)) / denominator_before
    middle = (now + before) / 2
    parts = []
    for one in pairs:
        share = Fraction(one.denominator) / denominator
        share_before = Fraction(one.denominator_before) / denominator_before
        weight = Fraction(one.numerator) / denominator - Fraction(one.numerator_before) / denominator_before
        total = weight - middle * (share - share_before)
        rate = Fraction(0)
        if one.denominator and one.denominator_before:
            own = Fraction(one.numerator) / Fraction(one.denominator)
            own_before = Fraction(one.numerator_before) / Fraction(one.denominator_before)
            rate = (share + share_before) / 2 * (own - own_before)
        parts.append(Part(one.key, rate, total - rate))
    parts.sort(key=lambda part: (-abs(part.total), str(part.key)))
    return Split(now, before, tuple(parts))
