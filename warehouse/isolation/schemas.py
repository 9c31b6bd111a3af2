"""Bringing the clients' schemas in line with what is declared and with the marts that there are.

What belongs here: which accounts a client sees, and the order in which things are made, replaced and dropped. What does
not: what a view selects (`warehouse.isolation.views`), logins (`warehouse.isolation.logins`).

An account that is taken from a client is closed to it at once. One that is given to a client opens when a build of the
marts has succeeded since: until then its rows are counted by the old client's settings, and name its experiments.

Each client is a transaction of its own. It locks the tables below for reading before it touches a view, so that it
cannot stand in a circle with a build that replaces a table and takes the views on it along.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from warehouse.connect import Warehouse
from warehouse.errors import ClientSchemasFailed, Contention, PermissionDenied, translated
from warehouse.isolation.held import HeldSchema, marked_schemas, read_schemas
from warehouse.isolation.locking import LOCK, come_again, limit_waiting, lock_sources
from warehouse.isolation.making import (
    as_owner,
    close_schema,
    drop_views,
    end_login,
    grant_reading,
    make_views,
    prepare_schema,
)
from warehouse.isolation.names import role_name, schema_name
from warehouse.isolation.owner import ensure_owner
from warehouse.isolation.published import Mart, read_marts
from warehouse.isolation.views import View, views_of
from warehouse.ops.locks import wait_for_lock
from warehouse.pool import Connection

_DECLARED = """
    SELECT client_id, array_agg(account_id ORDER BY account_id)
    FROM ops.client_account
    GROUP BY client_id
    ORDER BY client_id COLLATE "C"
"""
_BUILT = "SELECT account_id, client_id FROM marts.dim_account"
_NOT_BUILT_SINCE = """
    SELECT account_id FROM ops.slice WHERE account_id = ANY (%s) GROUP BY account_id HAVING bool_and(build_id IS NULL)
"""
"""Accounts of which no build took in a slice since they were declared as they are (`warehouse.ops.clients`)."""
_LAST_BUILD = "SELECT status FROM ops.mart_build ORDER BY build_id DESC LIMIT 1"


@dataclass(frozen=True)
class ClientSchema:
    """A client's schema after a sync.

    Attributes:
        client_id: Of the client.
        schema: Its name.
        accounts: Whose rows it shows.
        waiting: Accounts of the client that open with the next build of the marts.
        views: How many views there are.
        created: Names of views that are new.
        replaced: Names of views that changed.
        dropped: Names of views that are gone.
        has_login: Whether the client's role may log in.
        is_retired: Whether the client is declared no more: it has no views and no login.
    """

    client_id: str
    schema: str
    accounts: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    views: int = 0
    created: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    has_login: bool = False
    is_retired: bool = False


@dataclass(frozen=True)
class SyncResult:
    """What a sync found and did.

    Attributes:
        clients: The schemas of all clients, those of retired ones too, in the order of their ids.
        unpublished: Marts without an account, which are shown to no client.
    """

    clients: tuple[ClientSchema, ...] = ()
    unpublished: tuple[str, ...] = ()

    @property
    def changes(self) -> int:
        """How many views were created, replaced or dropped."""
        return sum(len(one.created) + len(one.replaced) + len(one.dropped) for one in self.clients)


@dataclass(frozen=True)
class _Plan:
    client_id: str
    schema: str
    accounts: tuple[int, ...]
    waiting: tuple[int, ...]


def sync_client_schemas(warehouse: Warehouse, clients: Collection[str] | None = None) -> SyncResult:
    """Gives each client a schema with a view of its part of each mart, and takes from others what they had.

    Repeatable; where nothing changed it only reads. Before the first build of the marts it does nothing.

    Args:
        warehouse: Migrated.
        clients: Ids of the clients that are declared; None for all in `ops.client_account`. Of any other client the
            views are dropped and its role may no longer log in; its schema and whatever somebody else made in it stay.

    Raises:
        PermissionDenied: Our role may not make what is needed; the message holds the SQL for an administrator.
        ClientSchemasFailed: Some clients' schemas could not be brought up to date; those of the others were.
        Contention: A mart or a view stayed locked; what was done before stays.
        FenceOpen: The role that owns the views may do more than it should.
    """
    session = wait_for_lock(warehouse, LOCK)
    try:
        with translated():
            limit_waiting(session)
            try:
                return _sync(session, clients)
            except psycopg.errors.InsufficientPrivilege as error:
                raise PermissionDenied(_mend(session, str(error).strip())) from None
    finally:
        session.close()


def _sync(session: Connection, clients: Collection[str] | None) -> SyncResult:
    marts = read_marts(session)
    if not marts:
        return SyncResult()
    ensure_owner(session, marts)
    marked = marked_schemas(session)
    declared = _declared(session, clients)
    roles = {schema: role_name(client_id) for schema, client_id in marked.items()}
    roles |= {schema_name(client_id): role_name(client_id) for client_id in declared}
    held = read_schemas(session, roles)
    done: list[ClientSchema] = []
    problems: list[str] = []
    # Reason for the order: what has to be closed is closed before anything can go wrong with the rest.
    for schema, client_id in sorted(marked.items()):
        if client_id not in declared:
            retired, problem = _retire(session, schema, client_id, held[schema])
            done.append(retired)
            problems += [problem] if problem else []
    plans = _plans(session, declared, held, marts)
    for plan in sorted(plans, key=lambda plan: set(held[plan.schema].accounts) <= set(plan.accounts)):
        try:
            # Reason: whatever keeps a mart for long keeps it for the next client, too; so that ends the sync.
            done.append(_bring_up_to_date(session, plan, marts, held[plan.schema]))
        except ClientSchemasFailed as error:
            problems.append(f"{plan.client_id}: {error}")
    if problems:
        listing = "\n".join(f"  - {problem}" for problem in problems)
        raise ClientSchemasFailed(f"The schemas of {len(problems)} client(s) are not up to date:\n{listing}")
    left = tuple(mart.name for mart in marts if not mart.is_published)
    return SyncResult(tuple(sorted(done, key=lambda one: one.client_id)), left)


def _mend(session: Connection, complaint: str) -> str:
    row = session.execute("SELECT current_user::text, current_database()::text").fetchone()
    assert row is not None
    me, database = (sql.Identifier(name).as_string() for name in row)
    return (
        f"{me} may not make the clients' schemas ({complaint}). Everything else works without. To mend: make {me} the "
        f"owner of schema marts, of what is in it, and of the schemas client_*; and have an administrator run"
        f"\n  GRANT CREATE ON DATABASE {database} TO {me};"
    )


def _declared(session: Connection, clients: Collection[str] | None) -> dict[str, tuple[int, ...]]:
    found = {client_id: tuple(accounts) for client_id, accounts in session.execute(_DECLARED)}
    return {client_id: accounts for client_id, accounts in found.items() if clients is None or client_id in clients}


def _plans(
    session: Connection, declared: dict[str, tuple[int, ...]], held: dict[str, HeldSchema], marts: Sequence[Mart]
) -> list[_Plan]:
    dimension = next((mart for mart in marts if mart.name == "dim_account"), None)
    built = set(session.execute(_BUILT)) if dimension and dimension.has("client_id") else set()
    plans = []
    for client_id, accounts in declared.items():
        schema = schema_name(client_id)
        known = [account for account in accounts if (account, client_id) in built]
        gained = [account for account in known if account not in held[schema].accounts]
        closed = _not_to_open(session, gained) if gained else set()
        shown = tuple(account for account in known if account not in closed)
        plans.append(_Plan(client_id, schema, shown, tuple(a for a in accounts if a not in shown)))
    return plans


def _not_to_open(session: Connection, gained: Sequence[int]) -> set[int]:
    """Accounts of which some marts may still say what they said under the old client."""
    last = session.execute(_LAST_BUILD).fetchone()
    # Reason: after a build that failed, or beside one that runs, some marts know of a move and others do not.
    if last is not None and last[0] != "succeeded":
        return set(gained)
    return {account for (account,) in session.execute(_NOT_BUILT_SINCE, [list(gained)])}


def _bring_up_to_date(session: Connection, plan: _Plan, marts: Sequence[Mart], held: HeldSchema) -> ClientSchema:
    known: tuple[Sequence[Mart], HeldSchema] | None = (marts, held)

    def work() -> ClientSchema:
        nonlocal known
        # Reason: what was read for all clients at once is outdated where this is not the first attempt.
        fresh, standing = known or (read_marts(session), _held(session, plan))
        known = None
        return _attempt(session, plan, fresh, standing)

    return come_again(work)


def _held(session: Connection, plan: _Plan) -> HeldSchema:
    return read_schemas(session, {plan.schema: role_name(plan.client_id)})[plan.schema]


def _attempt(session: Connection, plan: _Plan, marts: Sequence[Mart], held: HeldSchema) -> ClientSchema:
    wanted = views_of(plan.schema, plan.client_id, plan.accounts, marts)
    _refuse_foreign(plan, wanted, held)
    names = {view.name for view in wanted}
    stale = [view for view in wanted if not _is_current(view, held)]
    gone = sorted(name for name, found in held.views.items() if found.is_ours and name not in names)
    role = role_name(plan.client_id)
    unread = {name for name in names if name in held.views and not held.views[name].is_granted and held.has_role}
    is_entered = held.is_open_to_owner and (held.is_open_to_role or not held.has_role)
    is_marked = held.client_id == plan.client_id and held.accounts == plan.accounts
    if stale or gone or unread or not (is_marked and is_entered):
        with session.transaction():
            touched = {*gone, *unread, *(view.name for view in stale)} & held.views.keys()
            lock_sources(session, [view.mart for view in stale], [held.views[name] for name in touched])
            prepare_schema(session, plan.schema, plan.client_id, plan.accounts, held, role)
            with as_owner(session):
                drop_views(session, plan.schema, gone)
                make_views(session, stale, held)
                if held.has_role:
                    grant_reading(session, plan.schema, sorted(unread | {view.name for view in stale}), role)
    return ClientSchema(
        plan.client_id,
        plan.schema,
        plan.accounts,
        plan.waiting,
        views=len(wanted),
        created=tuple(view.name for view in stale if view.name not in held.views),
        replaced=tuple(view.name for view in stale if view.name in held.views),
        dropped=tuple(gone),
        has_login=held.has_login,
    )


def _is_current(view: View, held: HeldSchema) -> bool:
    found = held.views.get(view.name)
    return found is not None and found.fingerprint == view.fingerprint


def _refuse_foreign(plan: _Plan, wanted: Sequence[View], held: HeldSchema) -> None:
    if held.exists and held.client_id != plan.client_id:
        owner = f"client {held.client_id!r}" if held.client_id else "somebody else"
        raise ClientSchemasFailed(
            f"the schema {plan.schema} exists and belongs to {owner}. To mend: rename that schema, or the client's id."
        )
    for view in wanted:
        if view.name in held.views and not held.views[view.name].is_ours:
            raise ClientSchemasFailed(
                f"{plan.schema}.{view.name} was not made by the platform. To mend: rename or drop it."
            )


def _retire(session: Connection, schema: str, client_id: str, held: HeldSchema) -> tuple[ClientSchema, str | None]:
    """Takes from a client that is declared no more what the platform gave it; also says what could not be taken."""
    role = role_name(client_id)
    dropped = tuple(sorted(name for name, found in held.views.items() if found.is_ours))
    retired = ClientSchema(client_id, schema, dropped=dropped, has_login=held.has_login, is_retired=True)
    try:
        if dropped or held.accounts or held.is_open_to_role:
            come_again(lambda: _close(session, schema, client_id, held))
        if held.has_login:
            end_login(session, role)
            retired = replace(retired, has_login=False)
    except psycopg.errors.InsufficientPrivilege as error:
        mend = f"ALTER ROLE {sql.Identifier(role).as_string()} NOLOGIN;"
        return retired, f"{client_id} is declared no more, and {role} may still log in ({error}). To mend: {mend}"
    except (Contention, ClientSchemasFailed) as error:
        return retired, f"{client_id} is declared no more: {error}"
    return retired, None


def _close(session: Connection, schema: str, client_id: str, held: HeldSchema) -> None:
    with session.transaction():
        lock_sources(session, (), [view for view in held.views.values() if view.is_ours])
        close_schema(session, schema, client_id, held, role_name(client_id))
