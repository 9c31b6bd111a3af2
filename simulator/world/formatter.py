"""Compiles the requested fields into a writer of rows: columns in, JSON bytes out.

What belongs here: the row's text. What does not: action lists (`actions`), numbers (`rows`, `fields`).

A field becomes a list of text fragments for many rows at once, and the fragments of a row are joined. No dictionary is
built and no JSON library runs per row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np

from simulator.contract import InsightsQuery
from simulator.world import actions, fields, text
from simulator.world import hashing as h
from simulator.world.cells import Breakdown
from simulator.world.events import events_of
from simulator.world.ids import object_id
from simulator.world.model import ATTRIBUTION_SETTINGS, AccountModel
from simulator.world.rows import RowBlock
from simulator.world.timeline import Timeline

_ACTION_FIELDS = ("actions", "action_values", "cost_per_action_type")
_RANKINGS = ("quality_ranking", "engagement_rate_ranking", "conversion_rate_ranking")
_RANKS = ("BELOW_AVERAGE_10", "BELOW_AVERAGE_20", "BELOW_AVERAGE_35", "AVERAGE", "AVERAGE", "ABOVE_AVERAGE")
_RESULTS = {
    "OUTCOME_SALES": ("purchase:value", "actions:offsite_conversion.fb_pixel_purchase"),
    "OUTCOME_LEADS": ("lead:value", "actions:offsite_conversion.fb_pixel_lead"),
    "OUTCOME_TRAFFIC": ("link_clicks", "actions:link_click"),
}
OPTIMIZATION = {
    "OUTCOME_SALES": "OFFSITE_CONVERSIONS",
    "OUTCOME_LEADS": "OFFSITE_CONVERSIONS",
    "OUTCOME_TRAFFIC": "LINK_CLICKS",
}

Piece = Callable[[RowBlock], list[str]]


class RowFormatter:
    """Writes the rows of one query.

    Attributes:
        needs: The row columns that the requested fields read.
    """

    def __init__(
        self,
        model: AccountModel,
        timeline: Timeline,
        moment: int,
        query: InsightsQuery,
        breakdown: Breakdown | None,
        periods: Sequence[tuple[int, int]],
        action_types: frozenset[str] | None,
        reach_allowed: Callable[[int], bool],
    ) -> None:
        """Compile.

        Args:
            model: The account.
            timeline: Its events, for names.
            moment: Time of asking.
            query: The query.
            breakdown: Its breakdown on this account.
            periods: First and last day of every period.
            action_types: Only these action types, None for all.
            reach_allowed: Whether a period (by number) is young enough for reach with a breakdown.
        """
        self._model, self._timeline, self._moment, self._query = model, timeline, moment, query
        self._level = query.level
        self._periods, self._breakdown = periods, breakdown
        self._reach_allowed = reach_allowed
        self._static_texts: dict[int, str] = {}
        self._static_fields = [name for name in query.fields if name in _STATIC_NAMES]
        pixel = breakdown is None or breakdown.pixel
        self._pixel = pixel
        self._events = [event for event in events_of(model) if pixel or not event.pixel]
        self._lists = actions.ActionLists(model, self._events, query.windows, query.action_breakdowns, action_types)
        self._cells = [] if breakdown is None else [_cell_text(breakdown.names, value) for value in breakdown.values]
        self._dates: dict[int, str] = {}
        self.needs: list[str] = []
        self._pieces: list[Piece] = []
        for name in dict.fromkeys(query.fields):
            piece = self._compile(name)
            if piece is not None:
                self._pieces.append(piece)
        self.needs = list(dict.fromkeys(self.needs))

    def write(self, block: RowBlock) -> list[bytes]:
        """The rows as JSON objects."""
        if not len(block):
            return []
        columns = [self._leads(block), *(piece(block) for piece in self._pieces)]
        return [f"{{{line}}}".encode("ascii") for line in map("".join, zip(*columns, strict=True))]

    def write_summary(self, block: RowBlock) -> str:
        """The number fields of a single row of totals, without dates and names."""
        line = "".join(piece(block)[0] for piece in self._pieces)
        return "{" + line[1:] + "}"

    def _leads(self, block: RowBlock) -> list[str]:
        dates = [self._date_text(period) for period in block.period.tolist()]
        static = [self._static_text(index) for index in block.object.tolist()]
        if self._breakdown is None:
            return list(map(str.__add__, dates, static))
        cells = [self._cells[cell] for cell in block.cell.tolist()]
        return list(map("".join, zip(dates, static, cells, strict=True)))

    def _date_text(self, period: int) -> str:
        found = self._dates.get(period)
        if found is None:
            first, last = (date.fromordinal(day).isoformat() for day in self._periods[period])
            if len(self._dates) > 5000:
                self._dates.clear()
            found = self._dates[period] = f'"date_start":"{first}","date_stop":"{last}"'
        return found

    def _static_text(self, index: int) -> str:
        found = self._static_texts.get(index)
        if found is None:
            values = static_values(self._model, self._timeline, self._level, index, self._moment)
            chosen = ((name, values.get(name)) for name in self._static_fields)
            found = "".join(f',"{name}":{json.dumps(value)}' for name, value in chosen if value is not None)
            self._static_texts[index] = found
        return found

    def _compile(self, name: str) -> Piece | None:
        hourly = self._breakdown is not None and self._breakdown.without_reach
        if name in fields.SCALARS:
            if hourly and name in fields.REACH_FIELDS:
                return (lambda block: [f',"{name}":"0"'] * len(block)) if name in ("reach", "frequency") else None
            return self._scalar(name)
        if name in fields.STATS:
            stat = fields.STATS[name]
            region = self._breakdown is not None and "region" in self._breakdown.names and name != "video_play_actions"
            if (stat.pixel and not self._pixel) or (stat.video and (hourly or region)):
                return None
            return self._stat(name)
        if name in _ACTION_FIELDS:
            self.needs += self._lists.needs(name)
            return lambda block: self._lists.write(name, block.columns, self._row_keys(block))
        if name in _RANKINGS and self._level == "ad" and self._breakdown is None:
            return lambda block: self._ranking(name, block)
        if name in ("results", "cost_per_result"):
            return self._results(name)
        return None

    def _row_keys(self, block: RowBlock) -> h.U64:
        # Reason: dates, not period numbers, so that the same row in another query splits the same way.
        first = np.array([first for first, _ in self._periods])[block.period]
        base = self._model.ad_key[block.object % len(self._model.ad_key)]
        return h.cross(h.cross(base, first), block.cell)

    def _scalar(self, name: str) -> Piece:
        ratio = fields.SCALARS[name]
        self.needs += fields.columns_of(ratio)
        head, always, model = f',"{name}":"', name in fields.ALWAYS, self._model
        whole = ratio.denominator is None
        dated = name in fields.REACH_FIELDS and self._breakdown is not None

        def piece(block: RowBlock) -> list[str]:
            if name == "spend":
                texts = text.money(block.columns["spend"], model.minor)
                return [f'{head}{line}"' for line in texts]
            values, defined = fields.evaluate(ratio, block.columns, model.minor)
            texts = text.integers(values.astype(np.int64)) if whole else text.decimals(values)
            shown = np.ones(len(block), dtype=bool) if always else defined & (values > 0)
            if dated:
                shown = shown & np.array([self._reach_allowed(period) for period in block.period.tolist()])
            if shown.all():
                return [f'{head}{line}"' for line in texts]
            return [f'{head}{line}"' if ok else "" for line, ok in zip(texts, shown.tolist(), strict=True)]

        return piece

    def _stat(self, name: str) -> Piece:
        stat, model = fields.STATS[name], self._model
        self.needs += fields.columns_of(stat.ratio)
        head = f',"{name}":[{{"action_type":"{stat.action_type}","value":"'

        def piece(block: RowBlock) -> list[str]:
            values, defined = fields.evaluate(stat.ratio, block.columns, model.minor)
            shown = (defined & (values > 0)).tolist()
            whole = stat.ratio.denominator is None
            texts = text.integers(values.astype(np.int64)) if whole else text.decimals(values)
            return [f'{head}{line}"}}]' if ok else "" for line, ok in zip(texts, shown, strict=True)]

        return piece

    def _ranking(self, name: str, block: RowBlock) -> list[str]:
        week = np.array([first for first, _ in self._periods])[block.period] // 7
        rank = h.pick(h.cross(self._model.ad_key[block.object], week), name, len(_RANKS)).tolist()
        shown = (block.columns["impressions"] >= 500).tolist()
        return [f',"{name}":"{_RANKS[place] if ok else "UNKNOWN"}"' for place, ok in zip(rank, shown, strict=True)]

    def _results(self, name: str) -> Piece:
        model = self._model
        campaign = _campaign_of(model, self._level)
        objectives = [model.objective[place] if place >= 0 else "" for place in campaign]
        chosen = [_RESULTS.get(objective, ("", "")) for objective in objectives]
        if not self._pixel:
            chosen = [pair if ":" not in pair[0] else ("", "") for pair in chosen]
        self.needs += [column for column, _ in set(chosen) if column]
        if name == "cost_per_result":
            self.needs.append("spend")

        def piece(block: RowBlock) -> list[str]:
            picked = [chosen[index] for index in block.object.tolist()]
            cost = block.columns["spend"] if name == "cost_per_result" else None
            return actions.results(
                [column for column, _ in picked],
                [indicator for _, indicator in picked],
                block.columns,
                cost,
                model.minor,
            )

        return piece


def _cell_text(names: Sequence[str], values: Sequence[str]) -> str:
    return "".join(f',"{name}":{json.dumps(value)}' for name, value in zip(names, values, strict=True))


def _campaign_of(model: AccountModel, level: str) -> list[int]:
    """The campaign of each object of a level; -1 for an account whose campaigns have different objectives."""
    if level == "account":
        return [0 if len(set(model.objective)) == 1 else -1]
    if level == "campaign":
        return list(range(len(model.objective)))
    found: list[int] = (model.adset_campaign if level == "adset" else model.ad_campaign).tolist()
    return found


_STATIC_NAMES = frozenset(
    {
        "account_id",
        "account_name",
        "account_currency",
        "campaign_id",
        "campaign_name",
        "objective",
        "buying_type",
        "adset_id",
        "adset_name",
        "optimization_goal",
        "attribution_setting",
        "ad_id",
        "ad_name",
        "created_time",
        "updated_time",
    }
)


def static_values(model: AccountModel, timeline: Timeline, level: str, index: int, moment: int) -> dict[str, str]:
    """The fields of a row that name its object and parents, as of a moment."""
    values = {"account_id": model.id, "account_name": model.name, "account_currency": model.currency}
    settings = set(model.attribution.tolist())
    adset = index if level == "adset" else int(model.ad_adset[index]) if level == "ad" else -1
    campaign = index if level == "campaign" else int(model.adset_campaign[adset]) if adset >= 0 else -1
    if campaign >= 0:
        settings = set(model.attribution[model.adset_campaign == campaign].tolist())
        objective = model.objective[campaign]
        values |= {
            "campaign_id": object_id(model.seed, model.index, "campaign", campaign),
            "campaign_name": str(timeline.value("campaign", campaign, "name", moment)),
            "objective": objective,
            "buying_type": "AUCTION",
        }
    if adset >= 0:
        settings = {int(model.attribution[adset])}
        values |= {
            "adset_id": object_id(model.seed, model.index, "adset", adset),
            "adset_name": str(timeline.value("adset", adset, "name", moment)),
            "optimization_goal": OPTIMIZATION[objective],
        }
    if level == "ad":
        values |= {
            "ad_id": object_id(model.seed, model.index, "ad", index),
            "ad_name": str(timeline.value("ad", index, "name", moment)),
        }
    # Reason: rows over ad sets with different settings have no single one; Ads Manager then says "multiple".
    values["attribution_setting"] = ATTRIBUTION_SETTINGS[settings.pop()][0] if len(settings) == 1 else "mixed"
    if level in ("campaign", "adset", "ad"):
        created = timeline.events_start(level, index)
        updated = int(timeline.updated(level, np.array([index]), moment)[0])
        values["created_time"] = model.clock.iso(created)[:10]
        values["updated_time"] = model.clock.iso(updated)[:10]
    return values
