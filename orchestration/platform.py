"""One installation, opened: settings, clients, the warehouse, a client of Meta.

Wiring belongs here, so that the command line and Dagster share it. What is done with the parts does not.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ingestion.budget import CallBudget
from ingestion.clock import Clock, SystemClock
from ingestion.graph import CallPolicy, GraphClient
from ingestion.insights import PullOptions
from ingestion.reports import PRESETS, Report
from orchestration.clients import ClientsFile, load_clients
from orchestration.errors import ConfigurationError
from orchestration.progress import Display
from orchestration.settings import Settings
from warehouse.connect import Warehouse, connect
from warehouse.migrations import upgrade
from warehouse.ops import UsageStore
from warehouse.tables import InsightTable, ensure_insight_table


@dataclass
class Platform:
    """Everything that a command works with.

    Attributes:
        settings: Of this installation.
        clients: Who owns which accounts.
        warehouse: Migrated and ready.
        display: Where progress goes.
        clock: Time for ingestion.
        options: How insights are pulled.
    """

    settings: Settings
    clients: ClientsFile
    warehouse: Warehouse
    display: Display
    clock: Clock = field(default_factory=SystemClock)
    options: PullOptions = field(default_factory=PullOptions)

    def graph_client(self) -> GraphClient:
        """A client of Meta with this installation's token.

        Raises:
            ConfigurationError: There is no token.
        """
        settings = self.settings
        if settings.meta_access_token is None:
            raise ConfigurationError(
                "There is no META_ACCESS_TOKEN.",
                "put one into .env (docs/cookbooks/new-account.md), or try `meta-ads demo`, which needs none",
            )
        return self._client(settings.meta_access_token.get_secret_value())

    def app_client(self) -> GraphClient:
        """A client of Meta that speaks for the app itself, e.g. about its webhooks.

        Raises:
            ConfigurationError: The app's id or secret is not set.
        """
        settings = self.settings
        if settings.meta_app_id is None or settings.meta_app_secret is None:
            missing = "META_APP_ID" if settings.meta_app_id is None else "META_APP_SECRET"
            raise ConfigurationError(f"There is no {missing}.", "copy it from the app's basic settings into .env")
        # Source: fact sheet, tokens: an app's token is its id and its secret.
        return self._client(f"{settings.meta_app_id}|{settings.meta_app_secret.get_secret_value()}")

    def _client(self, token: str) -> GraphClient:
        settings = self.settings
        return GraphClient.connect(
            token,
            graph_url=settings.meta_graph_url,
            app_id=settings.meta_app_id,
            app_secret=settings.meta_app_secret.get_secret_value() if settings.meta_app_secret else None,
            api_version=settings.meta_api_version,
            clock=self.clock,
            budget=CallBudget(self.clock, UsageStore(self.warehouse)),
            policy=CallPolicy(timeout_seconds=settings.meta_timeout_seconds),
        )

    def report(self, name: str) -> Report:
        """A preset, or a report that `clients.yml` declares.

        Raises:
            ConfigurationError: There is none of that name.
        """
        if name in PRESETS:
            return PRESETS[name]
        custom = self.clients.custom_report(name)
        if custom is None:
            known = [*PRESETS, *(report.name for report in self.clients.custom_reports)]
            raise ConfigurationError(f"There is no report {name!r}.", f"choose one of {', '.join(known)}")
        identifying = PRESETS[f"{custom.level}_daily"].fields
        # Reason: the key and the slice's own columns must be there whatever the user asked for.
        needed = tuple(name for name in identifying if name.endswith(("_id", "_name", "account_currency")))
        fields = dict.fromkeys((*needed, "impressions", "spend", *custom.fields))
        return Report(
            custom.name,
            custom.level,
            tuple(name for name in fields if name not in custom.breakdowns),
            breakdowns=tuple(custom.breakdowns),
            action_breakdowns=tuple(custom.action_breakdowns),
            windows=tuple(custom.windows),
            history_days=custom.history_days,
            max_days=31,
        )

    def table(self, report: Report) -> InsightTable:
        """The report's table; a declared report's is created when it is first needed."""
        table = InsightTable(report.name, report.level, report.breakdowns, period=report.period)
        if report.name not in PRESETS:
            ensure_insight_table(self.warehouse, table)
        return table


def tune_memory() -> None:
    """Has Python look for reference cycles less often.

    Reason: a page of rows is a hundred thousand small dicts without a cycle among them; looking after every 700 of them
    costs a quarter of the time of parsing.
    """
    gc.set_threshold(50_000, 20, 100)


@contextmanager
def open_platform(settings: Settings, display: Display) -> Iterator[Platform]:
    """Opens the warehouse (starting the embedded server if there is no URL), migrates it, reads `clients.yml`.

    Raises:
        ConfigurationError: A setting or `clients.yml` is wrong.
        WarehouseError: The database cannot be reached or migrated.
    """
    tune_memory()
    clients = load_clients(settings.clients_file, required=settings.clients_file_was_named)
    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
    if url is None:
        settings.meta_ads_home.mkdir(parents=True, exist_ok=True)
    with connect(url, state_directory=settings.meta_ads_home / "postgres") as warehouse:
        upgrade(warehouse)
        options = PullOptions(page_size=settings.meta_page_size, largest_page=max(2000, settings.meta_page_size))
        yield Platform(settings, clients, warehouse, display, options=options)
