"""Whether an object has to be written, who changed it, and what is remembered of it.

What belongs here: the one decision that is the same for every kind of object. What does not: reading and writing them.

Metabase may keep a value in another spelling than it was sent. So two digests are remembered of each key: what was
asked for, and what was shown afterwards. While neither moves, nothing is written. A key that shows something else now,
although we ask for the same, was changed by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from dashboards.metabase.canonical import Canonical, digests
from warehouse.ops.dashboards import ManagedObject, MetabaseObjects

Action = Literal["create", "update", "archive"]


@dataclass(frozen=True)
class Change:
    """Something that differs, and what is done about it.

    Attributes:
        action: What is done.
        kind: Of object.
        title: What people call it, with its place.
        keys: What differs.
        by_hand: Those of them that somebody changed in Metabase.
    """

    action: Action
    kind: str
    title: str
    keys: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """An object as Metabase has it.

    Attributes:
        metabase_id: Its number.
        fingerprint: What nobody can change of it.
        shows: Its canonical form.
    """

    metabase_id: int
    fingerprint: str | None
    shows: Canonical


@dataclass
class Ledger:
    """What is known, what was found to differ, and what a person should hear.

    Attributes:
        objects: Where it is kept.
        is_plan: Nothing is written, here or in Metabase.
        tell: Called with each change before it is made.
        changes: All that differed so far.
        notes: Sentences for people.
    """

    objects: MetabaseObjects
    is_plan: bool
    tell: Callable[[Change], None] = lambda _: None
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _known: dict[tuple[str, str], ManagedObject] | None = None
    _told: set[tuple[str, str]] = field(default_factory=set)

    @property
    def known(self) -> dict[tuple[str, str], ManagedObject]:
        """What we made, by kind and key."""
        if self._known is None:
            self._known = self.objects.all()
        return self._known

    def of(self, kind: str, key: str) -> ManagedObject:
        """What is known of one; an empty entry where nothing is."""
        return self.known.get((kind, key)) or ManagedObject(kind, key)

    def is_it(self, kind: str, key: str, metabase_id: int, fingerprint: str | None) -> bool:
        """Whether a number still stands for the object that we made, and not for another one of a new instance."""
        known = self.of(kind, key)
        return known.metabase_id == metabase_id and known.fingerprint == fingerprint

    def keep(self, one: ManagedObject) -> None:
        """Remembers one; a plan remembers nothing."""
        if self.is_plan or self.known.get((one.kind, one.key)) == one:
            return
        self.objects.keep(one)
        self.known[one.kind, one.key] = one

    def forget(self, kind: str, key: str) -> None:
        """Drops one."""
        if not self.is_plan:
            self.objects.forget(kind, key)
            self.known.pop((kind, key), None)

    def announce(self, change: Change) -> None:
        """Counts a change that is about to be made."""
        self.changes.append(change)
        self.tell(change)

    def announce_once(self, key: str, change: Change) -> None:
        """Counts a change unless the same object had one: a dashboard is made in several requests."""
        if (change.kind, key) not in self._told:
            self._told.add((change.kind, key))
            self.announce(change)

    def begin(self, kind: str, key: str, title: str) -> None:
        """Remembers that an object is about to be made: one whose making is cut off is then known to be ours."""
        self.announce_once(key, Change("create", kind, title))
        self.keep(replace(self.of(kind, key), metabase_id=None, fingerprint=None, sent={}, seen={}))

    def made(self, kind: str, key: str, metabase_id: int, fingerprint: str | None) -> None:
        """Remembers what became of it."""
        self.keep(replace(self.of(kind, key), metabase_id=metabase_id, fingerprint=fingerprint))

    def note(self, sentence: str) -> None:
        """Keeps a sentence for people, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def settle(
        self,
        kind: str,
        key: str,
        title: str,
        wanted: Canonical,
        found: Found | None,
        write: Callable[[Found | None], Found],
    ) -> Found | None:
        """Writes an object if it has to be, and remembers it.

        Args:
            kind: Of object.
            key: Ours.
            title: For people.
            wanted: What it shall show.
            found: What it shows; None where it is not there.
            write: Makes it (for None) or changes it, and tells what it shows then.

        Returns:
            The object as it is now; None where it is not there and this is a plan.
        """
        sent = digests(wanted)
        if found is None:
            self.begin(kind, key, title)
            if self.is_plan:
                return None
            return self._written(kind, key, title, sent, write(None))
        keys, by_hand = self._differences(kind, key, sent, found)
        if not keys:
            seen = digests(found.shows)
            known = self.of(kind, key)
            self.keep(
                replace(known, metabase_id=found.metabase_id, fingerprint=found.fingerprint, sent=sent, seen=seen)
            )
            return found
        self.announce_once(key, Change("update", kind, title, keys, by_hand))
        return found if self.is_plan else self._written(kind, key, title, sent, write(found))

    def _differences(
        self, kind: str, key: str, sent: dict[str, str], found: Found
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The keys to write, and those of them that were changed by hand."""
        shows = digests(found.shows)
        known = self.of(kind, key)
        is_ours = self.is_it(kind, key, found.metabase_id, found.fingerprint)
        keys, by_hand = [], []
        for name, digest in sent.items():
            if shows.get(name) == digest:
                continue
            asked_before = is_ours and known.sent.get(name) == digest
            if asked_before and known.seen.get(name) == shows.get(name):
                continue
            keys.append(name)
            if asked_before:
                by_hand.append(name)
        return tuple(keys), tuple(by_hand)

    def _written(self, kind: str, key: str, title: str, sent: dict[str, str], done: Found) -> Found:
        seen = digests(done.shows)
        kept_otherwise = [name for name, digest in sent.items() if seen.get(name) != digest]
        if kept_otherwise:
            self.note(f"Metabase keeps {kind} {title} in another form than it was sent: {', '.join(kept_otherwise)}.")
        known = replace(self.of(kind, key), metabase_id=done.metabase_id, fingerprint=done.fingerprint)
        self.keep(replace(known, sent=sent, seen=seen))
        return done
