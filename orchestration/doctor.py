"""Checks whether this installation can work: token, scopes, expiry, versions, database, disk; each with the mend.

Checking belongs here; mending is the user's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ingestion.entities import discover_accounts, inspect_token, token_end
from ingestion.errors import GraphError
from ingestion.graph import GraphClient
from orchestration.clients import ClientsFile, load_clients
from orchestration.errors import ConfigurationError
from orchestration.mail_settings import report_sender, smtp_server
from orchestration.platform import Platform, open_platform
from orchestration.progress import Display
from orchestration.settings import Settings
from warehouse.errors import WarehouseError
from warehouse.query import server_info

_ENOUGH_DISK = 2 * 1024**3
_SOON_DAYS = 14


@dataclass(frozen=True)
class Finding:
    """One check.

    Attributes:
        name: What was checked.
        status: `ok`, `warning` or `problem`.
        text: What was found.
        mend: What to do; empty when nothing is.
    """

    name: str
    status: str
    text: str
    mend: str = ""


def examine(settings: Settings, display: Display) -> Iterator[Finding]:
    """Yields every check as it is done; later ones are skipped when they cannot be made."""
    yield from _clients(settings)
    yield from _disk(settings)
    try:
        with open_platform(settings, display) as platform:
            yield from _database(platform)
            yield from _meta(platform)
    except WarehouseError as problem:
        yield Finding("database", "problem", str(problem), getattr(problem, "mend", "") or "check WAREHOUSE_URL")
    except ConfigurationError as problem:
        yield Finding("clients", "problem", problem.message, problem.mend)


def _clients(settings: Settings) -> Iterator[Finding]:
    try:
        clients = load_clients(settings.clients_file, required=settings.clients_file_was_named)
    except ConfigurationError as problem:
        yield Finding("clients", "problem", problem.message, problem.mend)
        return
    if clients.path is None:
        yield Finding(
            "clients",
            "ok",
            f"no {settings.clients_file.name}: every account that the token sees, owned by its business",
        )
        return
    accounts = sum(1 for _ in clients.accounts())
    yield Finding("clients", "ok", f"{len(clients.clients)} clients with {accounts} accounts in {clients.path}")
    for warning in clients.warnings:
        yield Finding("clients", "warning", warning)
    yield from _reports(settings, clients)


def _reports(settings: Settings, clients: ClientsFile) -> Iterator[Finding]:
    reports = [report for client in clients.clients for report in client.reports if report.enabled]
    if not reports:
        return
    text = f"{len(reports)} report{'s' if len(reports) != 1 else ''} by e-mail"
    server, sender = smtp_server(settings), report_sender(settings)
    if server is None:
        yield Finding("reports", "problem", f"{text}, and SMTP_HOST is not set: none is sent", "set SMTP_HOST")
    elif sender is None:
        mend = "set REPORT_EMAIL_FROM to an address"
        yield Finding("reports", "problem", f"{text}, and no address to send them from: none is sent", mend)
    else:
        yield Finding("reports", "ok", f"{text} from {sender} by {server.where}")
    without = [report.name for report in reports if report.owner is None]
    if without and not (settings.alert_email_to or settings.alert_webhook_url):
        yield Finding(
            "reports",
            "warning",
            f"nobody is told when a report is not sent: {', '.join(sorted(set(without)))}",
            "name an `owner` in clients.yml, or set ALERT_EMAIL_TO",
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.meta_ads_home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GB free at {settings.meta_ads_home}"
    if free < _ENOUGH_DISK:
        yield Finding("disk", "warning", text, "make room, or set META_ADS_HOME to another disk")
    else:
        yield Finding("disk", "ok", text)


def _database(platform: Platform) -> Iterator[Finding]:
    info = server_info(platform.warehouse)
    where = "embedded" if platform.warehouse.server else platform.warehouse.safe_url
    yield Finding("database", "ok", f"{info['version']}, profile {info['profile']}, {where}")


def _meta(platform: Platform) -> Iterator[Finding]:
    settings = platform.settings
    if settings.meta_access_token is None:
        yield Finding(
            "token", "warning", "no META_ACCESS_TOKEN", "set one to use a real account; `meta-ads demo` needs none"
        )
        return
    client = platform.graph_client()
    try:
        yield from _token(client, settings)
        yield from _checked("accounts", lambda: _accounts(platform, client))
    finally:
        client.close()


def _checked(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except GraphError as problem:
        yield Finding(name, "problem", problem.message, problem.mend)


def _token(client: GraphClient, settings: Settings) -> Iterator[Finding]:
    assert settings.meta_access_token is not None
    try:
        data = inspect_token(client, settings.meta_access_token.get_secret_value())
    except GraphError as problem:
        yield Finding("token", "problem", problem.message, problem.mend)
        return
    if not data.get("is_valid"):
        reason = (data.get("error") or {}).get("message", "Meta calls it invalid")
        yield Finding("token", "problem", str(reason), "create a new one (docs/cookbooks/rotate-token.md)")
        return
    yield Finding("version", "ok", f"{client.api_version} at {client.graph_url}")
    yield _expiry(data)
    scopes = set(data.get("scopes", []))
    if not scopes & {"ads_read", "ads_management"}:
        yield Finding("scopes", "problem", f"the token has {sorted(scopes)}", "create one with ads_read")
    else:
        yield Finding("scopes", "ok", ", ".join(sorted(scopes)))
    if settings.meta_app_secret is None:
        yield Finding(
            "proof", "warning", "calls are not signed", "set META_APP_SECRET and require it in the app's settings"
        )


def _expiry(data: dict[str, object]) -> Finding:
    ends = token_end(data)
    if ends is None:
        return Finding("token", "ok", "valid, never expires")
    left = datetime.fromtimestamp(ends, UTC) - datetime.now(UTC)
    text = f"valid until {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} UTC ({left.days} days)"
    if left.days < _SOON_DAYS:
        return Finding(
            "token", "warning", text, "rotate it (docs/cookbooks/rotate-token.md), or use a system user's token"
        )
    return Finding("token", "ok", text)


def _accounts(platform: Platform, client: GraphClient) -> Iterator[Finding]:
    visible = {int(account["account_id"]): account for account in discover_accounts(client)}
    declared = {account.id for _, account in platform.clients.accounts() if not account.is_imported}
    yield Finding("accounts", "ok" if visible else "problem", f"the token sees {len(visible)} ad accounts",
                  "" if visible else "assign ad accounts to the token's user in Business Settings")  # fmt: skip
    for account_id in sorted(declared - set(visible)):
        yield Finding(
            "accounts",
            "problem",
            f"act_{account_id} is in clients.yml, but the token does not see it",
            "assign the account to the token's user, or remove it from clients.yml",
        )
    for account_id in sorted(set(visible) - declared) if declared else ():
        name = visible[account_id].get("name")
        yield Finding("accounts", "warning", f"act_{account_id} ({name}) belongs to no client", "add it to clients.yml")
    for account_id, account in sorted(visible.items()):
        if int(account.get("account_status") or 1) not in (1, 9):
            yield Finding("accounts", "warning", f"act_{account_id} is not active (status {account['account_status']})")
