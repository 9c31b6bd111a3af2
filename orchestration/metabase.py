"""Metabase of this installation: from settings and dbt's manifest to what there shall be.

What belongs here: wiring. What does not: what is done with it (`dashboards.metabase`).

Each client has a space of its own, on its schema and with its own login (`warehouse.isolation`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

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
from orchestration.platform import Platform
from orchestration.settings import Settings
from orchestration.transform import parse_project, project_version
from warehouse.connect import Warehouse
from warehouse.isolation import clients_with_views, ensure_agency_login, ensure_login, role_name, schema_name
from warehouse.urls import DatabaseUrl

KEY_FILE = "metabase.key"
_CLIENT = "client-"
_COOKBOOK = "see docs/cookbooks/metabase.md"


class Logins:
    """Gives roles of spaces their passwords: those of clients, and the agency's own."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def give(self, space: Space, password: str) -> None:
        """Makes it the password of the space's role.

        Raises:
            WarehouseError: We may not make roles, or the role could do more than read its schema.
        """
        if space.is_client:
            ensure_login(self._warehouse, space.key.removeprefix(_CLIENT), SecretStr(password))
        else:
            ensure_agency_login(self._warehouse, SecretStr(password))


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


def wish_of(platform: Platform) -> Wish:
    """What there shall be in this installation's Metabase.

    Raises:
        UserError: The dashboards have mistakes.
        ConfigurationError: A setting is missing.
        DatabaseUnavailable: The warehouse cannot be reached.
    """
    settings = platform.settings
    path = manifest(settings)
    catalog = Catalog.of_manifest(path)
    clients = platform.clients.clients
    present = clients_with_views(platform.warehouse, [client.id for client in clients])
    return Wish(
        checked_library(catalog),
        catalog,
        spaces_of(settings, [client for client in clients if client.id in present]),
        InstanceSettings(settings.metabase_site_name, settings.metabase_time_zone),
        _descriptions(path),
    )


def spaces_of(settings: Settings, clients: list[Client]) -> list[Space]:
    """The agency's space, and one for each of these clients.

    Args:
        settings: Of this installation.
        clients: Those that have views; the others get a space with the first build after they have accounts.

    Raises:
        ConfigurationError: METABASE_WAREHOUSE_URL is not set.
    """
    if settings.metabase_warehouse_url is None:
        raise ConfigurationError("There is no METABASE_WAREHOUSE_URL.", _COOKBOOK)
    url = DatabaseUrl.parse(settings.metabase_warehouse_url.get_secret_value())
    agency = Space("agency", "Agency", SCHEMA, _connection(url, url.user or "", url.password), is_client=False)
    return [
        agency,
        *(
            Space(
                # Reason for the prefix: no client's id can then be the agency's key.
                f"{_CLIENT}{client.id}",
                client.name,
                schema_name(client.id),
                _connection(url, role_name(client.id), None),
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
