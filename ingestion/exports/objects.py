"""Which campaign, ad set and ad a row belongs to.

What belongs here: ids from cells or names, stand-ins for the levels a file does not show, and the list of objects seen.
What does not: the rule that makes an id (`identity.py`).

A file of campaigns gets one stand-in ad set and one stand-in ad per campaign, so that every import is rows of ads and
takes the road of API rows. Stand-ins are named `(all ads of ...)` and marked in `_derived_ids`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingestion.exports.identity import derive_id
from ingestion.exports.model import Level

LEVELS: tuple[str, ...] = ("campaign", "adset", "ad")
_PLURAL = {"campaign": "campaigns", "adset": "ad sets", "ad": "ads"}
_KINDS = {"campaign": "campaigns", "adset": "adsets", "ad": "ads"}


@dataclass(frozen=True)
class Path:
    """The objects of a row: ids and names by level, and which ids were derived."""

    ids: dict[str, int]
    names: dict[str, str]
    derived: tuple[str, ...]

    @property
    def merges(self) -> bool:
        """Whether different objects of Meta can have ended up here, because a name stands for them."""
        return any(name != "account_id" for name in self.derived)


@dataclass
class Objects:
    """Resolves rows to objects and remembers the objects.

    Attributes:
        account_id: The account, derived or not.
        account_derived: Whether it was derived.
        account_name: Its name.
        level: The file's level.
    """

    account_id: int
    account_derived: bool
    account_name: str
    level: Level
    entities: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in _KINDS.values()}
    )

    _known: dict[tuple[int | str | None, ...], Path] = field(default_factory=dict, repr=False)

    def resolve(self, ids: dict[str, int | None], names: dict[str, str]) -> Path:
        """Return the objects of a row.

        Args:
            ids: Ids by level as far as the row has them.
            names: Names by level as far as the row has them.
        """
        key = (*ids.values(), *names.values())
        path = self._known.get(key)
        if path is None:
            path = self._known[key] = self._resolve(ids, names)
        return path

    def _resolve(self, ids: dict[str, int | None], names: dict[str, str]) -> Path:
        derived = ["account_id"] if self.account_derived else []
        found: dict[str, int] = {}
        shown: dict[str, str] = {}
        parent, parent_name = self.account_id, self.account_name
        below = False
        for level in LEVELS:
            own, name = ids.get(level), names.get(level, "")
            if own is None:
                derived.append(f"{level}_id")
                if below or self.level == "account":
                    kind, name = f"{level}*", f"(all {_PLURAL[level]} of {parent_name})"
                elif name:
                    kind = level
                else:
                    kind, name = f"{level}*", f"({_PLURAL[level][:-1]} not in the export)"
                own = derive_id(kind, self.account_id, parent, name)
            found[level], shown[level] = own, name or str(own)
            parent = own
            if not name.startswith("(all "):
                parent_name = shown[level]
            below = below or level == self.level
        path = Path(found, shown, tuple(derived))
        self._remember(path)
        return path

    def _remember(self, path: Path) -> None:
        above: dict[str, str] = {"account_id": str(self.account_id)}
        for level in LEVELS:
            known = self.entities[_KINDS[level]]
            own = path.ids[level]
            marked = [key for key in path.derived if key in above]
            marked += ["id"] if f"{level}_id" in path.derived else []
            row: dict[str, Any] = {"id": str(own), "name": path.names[level], **above}
            if marked:
                row["_derived_ids"] = marked
            known[own] = row
            above[f"{level}_id"] = str(own)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Return the objects seen, by kind. Of an object that was renamed, the name seen last for the first time."""
        return {kind: list(known.values()) for kind, known in self.entities.items()}
