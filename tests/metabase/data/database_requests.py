"""What requests about databases look like."""

from __future__ import annotations

from typing import Literal

from tests.metabase.core.schema import Body, NonBlank, OpenMap, PositiveInt, Query
from tests.metabase.data.schedules import Schedules


class NewDatabase(Body):
    """A database to add."""

    name: NonBlank
    engine: NonBlank
    details: OpenMap
    is_full_sync: bool | None = True
    is_on_demand: bool | None = False
    schedules: Schedules | None = None
    auto_run_queries: bool | None = None
    cache_ttl: PositiveInt | None = None
    connection_source: Literal["admin", "setup"] | None = "admin"
    provider_name: str | None = None
    is_stub: bool | None = None


class DatabaseChange(Body):
    """What of a database may change."""

    name: NonBlank | None = None
    engine: NonBlank | None = None
    details: OpenMap | None = None
    write_data_details: OpenMap | None = None
    refingerprint: bool | None = None
    schedules: Schedules | None = None
    is_full_sync: bool | None = None
    is_on_demand: bool | None = None
    description: str | None = None
    caveats: str | None = None
    points_of_interest: str | None = None
    auto_run_queries: bool | None = None
    cache_ttl: PositiveInt | None = None
    provider_name: str | None = None
    settings: OpenMap | None = None
    is_stub: bool | None = None


class Target(Body):
    """What to try to connect to."""

    engine: NonBlank
    details: OpenMap


class Trial(Body):
    """A trial connection."""

    details: Target


class Include(Query):
    """What to show with a database."""

    include: Literal["tables", "tables.fields", "schemas"] | None = None
    include_hidden: bool = False
    skip_fields: bool = False
