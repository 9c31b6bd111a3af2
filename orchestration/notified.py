"""From notifications to pulls: which account needs what, and which notifications that answers.

What belongs here: sorting, as pure functions. What does not: what one notification means
(`orchestration.receiver.meaning`), Dagster's runs (`orchestration.defs.notifications`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from orchestration.receiver.meaning import Pull, meaning
from warehouse.ops.notifications import Notification


@dataclass
class Wanted:
    """A pull that notifications ask for; however many they are, it is one.

    Attributes:
        account_id: Whose.
        pull: What.
        fresh: Notifications that no run was promised to, with the moment at which each was stored.
        promised: Notifications by the key of the run that they were promised to. It may never have been started.
    """

    account_id: int
    pull: Pull
    fresh: dict[int, datetime] = field(default_factory=dict)
    promised: dict[str, list[int]] = field(default_factory=dict)

    @property
    def new_key(self) -> str:
        """Key of a run for the fresh ones: the same as long as they are.

        Reason for the moment: the ids of a warehouse that was set up again begin anew, and Dagster remembers keys.
        """
        newest = max(self.fresh)
        return f"act_{self.account_id} {self.pull}, notified {newest} at {self.fresh[newest]:%Y-%m-%dT%H:%M:%S}"


@dataclass
class Sorted:
    """Notifications sorted.

    Attributes:
        wanted: Pulls, by account.
        ignored: Notifications for which nothing is pulled, by reason.
    """

    wanted: list[Wanted] = field(default_factory=list)
    ignored: dict[str, list[int]] = field(default_factory=dict)


def sort_out(waiting: Iterable[Notification], known_accounts: Collection[int]) -> Sorted:
    """Sorts notifications that wait.

    Args:
        waiting: Stored, not acted on.
        known_accounts: Those that this platform works on.
    """
    found = Sorted()
    wanted: dict[tuple[int, Pull], Wanted] = {}
    for item in waiting:
        meant = meaning(item, known_accounts)
        if meant.pull is None or item.account_id is None:
            found.ignored.setdefault(meant.reason, []).append(item.notification_id)
            continue
        one = wanted.setdefault((item.account_id, meant.pull), Wanted(item.account_id, meant.pull))
        if item.run_key is None:
            one.fresh[item.notification_id] = item.received_at
        else:
            one.promised.setdefault(item.run_key, []).append(item.notification_id)
    found.wanted = [wanted[key] for key in sorted(wanted)]
    return found
