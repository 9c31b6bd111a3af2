"""Metabase of this installation: from settings and dbt's manifest to what there shall be.

What belongs here: wiring. What does not: what is done with it (`dashboards.metabase`).

Spaces of clients need a schema and a login each, which are another part's to make. Until that part is wired in here
(`Isolation`), there is the agency's space alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from dashboards.answers import SCHEMA, Catalog
from dashboards.library import Library, load
from dashboards.lint import lint
from dashboards.metabase.access import Credentials
from dashboards.metabase.client import Metabase
from dashboards.metabase.converge import Wish
from dashboards.metabase.instance import InstanceSettings
from dashboards.spaces import Connection, Space
from orchestration.clients.models import Client
from orchestration.errors import ConfigurationError, UserError
from orchestration.settings import Settings
from orchestration.transform import parse_project, project_version
from warehouse.urls import DatabaseUrl

KEY_FILE = "metabase.key"
_COOKBOOK = "see docs/cookbooks/metabase.md"


class Isolation(Protocol):
    """Names of a client's schema and role, and its login."""

    def schema_name(self, client_id: str) -> str:
        """The schema with the client's views."""

    def role_name(self, client_id: str) -> str:
        """The role that reads it."""

    def give(self, space: Space, password: str) -> None:
        """Makes it the password of the space's role."""


def manifest(settings: Settings) -> Path:
    """The manifest of the project as it is now, made unless it is there.

    Raises:
        TransformError: The project cannot be read.
    """
    return parse_project(settings.meta_ads_home / "dbt" / project_version()[:16])


def checked_library(catalog: Catalog) -> Library:
    """All dashboards, none of them with a mistake.

    Raises:
        UserError: There are mistakes.
    """
    library = load()
    problems = lint(library, catalog)
    if problems:
        told = "\n".join(f"  {problem}" for problem in problems[:10])
        raise UserError(f"The dashboards have {len(problems)} mistakes:\n{told}", "run `meta-ads dashboards lint`")
    return library


def wish_of(settings: Settings, clients: list[Client], isolation: Isolation | None = None) -> Wish:
    """What there shall be in this installation's Metabase.

    Raises:
        UserError: The dashboards have mistakes.
        ConfigurationError: A setting is missing.
    """
    path = manifest(settings)
    catalog = Catalog.of_manifest(path)
    return Wish(
        checked_library(catalog),
        catalog,
        spaces_of(settings, clients, isolation),
        InstanceSettings(settings.metabase_site_name, settings.metabase_time_zone),
        _descriptions(path),
    )


def spaces_of(settings: Settings, clients: list[Client], isolation: Isolation | None) -> list[Space]:
    """The agency's space, and one for each client where logins can be given.

    Raises:
        ConfigurationError: METABASE_WAREHOUSE_URL is not set.
    """
    if settings.metabase_warehouse_url is None:
        raise ConfigurationError("There is no METABASE_WAREHOUSE_URL.", _COOKBOOK)
    url = DatabaseUrl.parse(settings.metabase_warehouse_url.get_secret_value())
    agency = Space("agency", "Agency", SCHEMA, _connection(url, url.user or "", url.password), is_client=False)
    if isolation is None:
        return [agency]
    return [
        agency,
        *(
            Space(
                # Reason for the prefix: no client's id can then be the agency's key.
                f"client-{client.id}",
                client.name,
                isolation.schema_name(client.id),
                _connection(url, isolation.role_name(client.id), None),
                client.reporting_currency,
            )
            for client in clients
        ),
    ]


def _connection(url: DatabaseUrl, role: str, password: str | None) -> Connection:
    assert url.host is not None
    assert url.database is not None
    options = url.options
    return Connection(
        url.host, url.port or 5432, url.database, role, password, options.get("sslmode"), options.get("sslrootcert")
    )


def _descriptions(path: Path) -> dict[str, str]:
    nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"].values()
    return {
        f"{node['name']}.{name}": column["description"]
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] == SCHEMA
        for name, column in node["columns"].items()
    }


def credentials_of(settings: Settings) -> Credentials:
    """How to come in."""
    key, password = settings.metabase_api_key, settings.metabase_admin_password
    return Credentials(
        key.get_secret_value() if key else None,
        settings.metabase_admin_email,
        password.get_secret_value() if password else None,
        settings.meta_ads_home / KEY_FILE,
        settings.metabase_site_name,
    )


@contextmanager
def opened_metabase(settings: Settings) -> Iterator[Metabase]:
    """A client of this installation's Metabase; nothing is asked yet.

    Raises:
        ConfigurationError: METABASE_URL is not set.
    """
    if settings.metabase_url is None:
        raise ConfigurationError("There is no METABASE_URL.", _COOKBOOK)
    metabase = Metabase(settings.metabase_url)
    try:
        yield metabase
    finally:
        metabase.close()
