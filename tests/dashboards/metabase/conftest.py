"""An installation: marts, our own memory, what there shall be; and the stand-in behind a client of ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.library import load
from dashboards.metabase.access import Credentials
from dashboards.metabase.client import Metabase as Client
from dashboards.metabase.client import Patience
from dashboards.metabase.converge import Outcome, Wish, converge
from dashboards.metabase.instance import InstanceSettings
from dashboards.spaces import Connection, Space
from tests.dashboards.metabase.marts import ACME, AGENCY, Marts, catalog
from tests.databases import Databases
from tests.metabase.client import ADMIN, Metabase
from warehouse.connect import Warehouse
from warehouse.ops.dashboards import MetabaseObjects

QUICK = Patience(timeout=20, connect=5, attempts=3, pause=0.01, start=5, sync=5, poll=0.01)
NOW = "2026-11-20T12:00:00"


@pytest.fixture(scope="module")
def marts(databases: Databases) -> Iterator[Marts]:
    with databases.fresh("plain", migrated=False) as url:
        made = Marts(url)
        made.fill()
        yield made


@pytest.fixture
def memory(databases: Databases) -> Iterator[Warehouse]:
    with databases.fresh("plain") as url, Warehouse(url) as opened:
        yield opened


@pytest.fixture
def spaces(marts: Marts) -> list[Space]:
    def connection(role: str) -> Connection:
        return Connection("db", 5432, marts.name, role, password=f"s3cret of {role}")

    return [
        Space("agency", "Agency", "marts", connection(AGENCY), is_client=False),
        Space("client-acme", "Acme", "client_acme", connection(ACME), currency="EUR"),
    ]


@pytest.fixture
def wish(spaces: list[Space]) -> Wish:
    return Wish(load(), catalog(), spaces, InstanceSettings(site_name="Ads", time_zone="Europe/Berlin"))


class Bench:
    """A Metabase and what is wished for in it.

    Attributes:
        standin: To look into it and to break it, seen by its administrator once `apply` has set it up.
    """

    def __init__(self, standin: Metabase, memory: Warehouse, wish: Wish, folder: Path, marts: Marts) -> None:
        self.standin, self.wish, self.marts = standin, wish, marts
        self.objects = MetabaseObjects(memory, standin.url)
        self.credentials = Credentials(
            email=ADMIN["email"], password=ADMIN["password"], key_file=folder / "metabase.key", site_name="Ads"
        )
        self.waits: list[float] = []

    def client(self, patience: Patience = QUICK) -> Client:
        return Client(self.standin.url, patience=patience, sleep=self._wait)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        time.sleep(min(seconds, 0.02))

    def run(self, **options: Any) -> Outcome:
        wish = options.pop("wish", self.wish)
        credentials = options.pop("credentials", self.credentials)
        client = self.client(options.pop("patience", QUICK))
        try:
            return converge(client, credentials, self.objects, wish, **options)
        finally:
            client.close()

    def admin(self) -> Metabase:
        """The stand-in, seen by its administrator."""
        answer = self.standin.anonymous().post("session", {"username": ADMIN["email"], "password": ADMIN["password"]})
        self.standin.headers = {"X-Metabase-Session": answer["id"]}
        return self.standin


@pytest.fixture
def bench(metabase: Metabase, marts: Marts, memory: Warehouse, wish: Wish, tmp_path: Path) -> Bench:
    metabase.options(databases={"db": marts.url}, now=NOW)
    return Bench(metabase, memory, wish, tmp_path, marts)
