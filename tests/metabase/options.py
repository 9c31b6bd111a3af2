"""What a stand-in is told when it starts, and which of it tests may change while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

ANY_HOST = "*"
"""The key of `Options.databases` for every host that has no URL of its own."""


@dataclass
class Options:
    """The stand-in's options.

    Attributes:
        version: What it says it is, in `version.tag`.
        databases: libpq URL by the host name that connection details give; host, port and libpq parameters are taken
            from the URL, database, user and password from the details. Without a URL the host is used as it is.
        passwords: Password by database role. The embedded test server trusts everybody; with an entry here a wrong
            password in the details is refused as PostgreSQL would.
        tls: The databases speak TLS. Then details without `ssl` are stored with it, as Metabase does.
        starting_seconds: How long `/api/health` says `initializing` after a start or a reset.
        sync_seconds: How long a sync takes before tables and fields appear.
        template_tags: Whether answers carry template tags as a map or as a list.
        unknown_keys: `refuse` answers 400 to a key that no schema names. `drop` ignores it without a word, as the
            source read does; the log says what was dropped.
        env_settings: Settings fixed by environment variables.
        env_writes: What writing such a setting does: `shadow` stores it without effect, as the source read does;
            `refuse` answers 400.
        setup_token: The token in the instance's environment; else one is drawn.
        password_complexity: `weak`, `normal` or `strong`.
        throttle: Failed logins of one name before it must wait.
        scan_values: Whether a sync reads which text columns have few values.
        now: A clock that stands still, in UTC; None for the real one.
        state: A JSON file to live in beyond a restart; None for memory.
    """

    version: str = "v0.62.20"
    databases: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    tls: bool = False
    starting_seconds: float = 0.0
    sync_seconds: float = 0.0
    template_tags: Literal["map", "list"] = "map"
    unknown_keys: Literal["refuse", "drop"] = "refuse"
    env_settings: dict[str, Any] = field(default_factory=dict)
    env_writes: Literal["shadow", "refuse"] = "shadow"
    setup_token: str | None = None
    password_complexity: Literal["weak", "normal", "strong"] = "normal"
    throttle: int = 10
    scan_values: bool = True
    now: datetime | None = None
    state: Path | None = None

    def change(self, changes: dict[str, Any]) -> None:
        """Changes some options by name.

        Raises:
            ValueError: A name that is none, or one that only a start can set.
        """
        known = {f.name for f in fields(self)} - {"state"}
        if unknown := set(changes) - known:
            raise ValueError(f"no such option: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        for name, value in changes.items():
            setattr(self, name, datetime.fromisoformat(value) if name == "now" and value else value)
