"""Logins of clients and of the agency: their limits, their passwords, and what an administrator has to allow."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from tests.databases import Databases
from tests.warehouse.isolation.agency import ACME, BLOOM, PASSWORD, PUBLISHED, Agency, fits, make_agency
from warehouse.connect import Warehouse
from warehouse.errors import FenceOpen, PermissionDenied, TerminalError
from warehouse.isolation import ensure_agency_login, ensure_login, held, making, names, open_doors, owner
from warehouse.migrations import upgrade
from warehouse.urls import DatabaseUrl

OWNING = "something of its own"
DOORS = {
    "a table of the platform": (
        "GRANT USAGE ON SCHEMA raw TO PUBLIC; GRANT SELECT ON raw.accounts TO PUBLIC",
        "may read raw.accounts",
    ),
    "one column": (
        "GRANT USAGE ON SCHEMA ops TO {role}; GRANT SELECT (day) ON ops.slice TO {role}",
        "may read ops.slice",
    ),
    "another client": (
        "GRANT USAGE ON SCHEMA {other} TO {role}; GRANT SELECT ON {other}.mart_daily TO {role}",
        "may read {other}.mart_daily",
    ),
    "writing": (
        "CREATE TABLE public.inbox (t text); GRANT INSERT ON public.inbox TO PUBLIC",
        "may write to public.inbox",
    ),
    "making things in public": ("GRANT CREATE ON SCHEMA public TO PUBLIC", "may make objects in schema public"),
    "making things in its schema": (
        "GRANT CREATE ON SCHEMA {schema} TO {role}",
        "may make objects in schema {schema}",
    ),
    "making schemas": ("GRANT CREATE ON DATABASE {database} TO {role}", "may make schemas in the database"),
    "a role": ("GRANT pg_read_all_data TO {role}", "is a member of pg_read_all_data"),
    "an attribute": ("ALTER ROLE {role} BYPASSRLS", "may more than a reader (bypassrls)"),
    "a function of its owner": (
        "CREATE FUNCTION public.all_spend() RETURNS numeric LANGUAGE sql SECURITY DEFINER RETURN 1",
        "may call all_spend(), which runs with the rights of its owner",
    ),
    OWNING: ("ALTER VIEW {schema}.dim_day OWNER TO {role}", "owns view {schema}.dim_day"),
    "password hashes": ("GRANT SELECT ON pg_authid TO PUBLIC", "may read pg_catalog.pg_authid"),
}


def verifier_of(agency: Agency, role: str) -> str:
    ((found,),) = agency.rows("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role])
    return str(found)


def test_a_login_has_limits_and_its_schema_is_where_it_looks(agency: Agency) -> None:
    agency.sync()
    role = agency.let_in(ACME)
    assert role == agency.role(ACME)
    assert agency.rows(
        "SELECT rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, "
        "rolconnlimit FROM pg_roles WHERE rolname = %s",
        [role],
    ) == [(True, False, False, False, False, False, False, 5)]
    with agency.as_role(role) as session:
        shown = {
            name: session.execute(f"SHOW {name}".encode()).fetchone()
            for name in (
                "default_transaction_read_only",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "search_path",
            )
        }
    assert shown == {
        "default_transaction_read_only": ("on",),
        "statement_timeout": ("1min",),
        "idle_in_transaction_session_timeout": ("1min",),
        "search_path": (agency.schema(ACME),),
    }


def test_a_client_has_five_connections(agency: Agency) -> None:
    agency.sync()
    role = agency.let_in(ACME)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(agency.as_role(role))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            stack.enter_context(agency.as_role(role))


def test_the_server_gets_a_verifier_that_fits_the_password_and_a_new_one_replaces_it(agency: Agency) -> None:
    agency.sync()
    role = agency.let_in(ACME)
    assert fits(PASSWORD, verifier_of(agency, role))
    agency.let_in(ACME)
    assert fits(PASSWORD, verifier_of(agency, role))
    ensure_login(agency.warehouse, agency.id(ACME), SecretStr("another"))
    assert fits("another", verifier_of(agency, role))
    assert not fits(PASSWORD, verifier_of(agency, role))


def test_the_password_is_in_no_statement_that_the_server_logs(databases: Databases) -> None:
    with databases.fresh("plain") as url, Warehouse(url) as warehouse:
        agency = make_agency(warehouse)
        agency.sync()
        ((database, data),) = agency.rows("SELECT current_database(), current_setting('data_directory')")
        agency.run(f"ALTER DATABASE {database} SET log_statement = 'all'")
        warehouse.close()
        try:
            agency.let_in(ACME)
            log = (Path(data) / "server.log").read_text(errors="replace")
        finally:
            agency.forget_roles()
    assert f'ALTER ROLE "{agency.role(ACME)}" LOGIN' in log
    assert PASSWORD not in log
    assert "battery" not in log


@pytest.mark.parametrize("password", ["", "with\x00nul"])
def test_a_password_that_lets_nobody_in_or_anybody_is_refused(agency: Agency, password: str) -> None:
    agency.sync()
    with pytest.raises(TerminalError, match="empty or holds a NUL"):
        ensure_login(agency.warehouse, agency.id(ACME), SecretStr(password))
    assert agency.rows("SELECT FROM pg_roles WHERE rolname = %s", [agency.role(ACME)]) == []


def test_a_client_without_a_schema_gets_no_login(agency: Agency) -> None:
    with pytest.raises(TerminalError, match="has no schema yet"):
        agency.let_in(ACME)
    assert agency.rows("SELECT FROM pg_roles WHERE rolname = %s", [agency.role(ACME)]) == []


def test_each_door_is_found_told_with_its_mend_and_keeps_the_login_away(agency: Agency) -> None:
    agency.sync()
    role = agency.let_in(ACME)
    ((database,),) = agency.rows("SELECT current_database()")
    place = {"role": role, "schema": agency.schema(ACME), "other": agency.schema(BLOOM), "database": database}
    for door, (statements, words) in DOORS.items():
        assert open_doors(agency.warehouse, agency.id(ACME)) == [], door
        before = verifier_of(agency, role)
        agency.run(*statements.format(**place).split(";"))
        found = open_doors(agency.warehouse, agency.id(ACME))
        assert words.format(**place) in [one.what for one in found], door
        with pytest.raises(FenceOpen, match=role) as refused:
            agency.let_in(ACME)
        assert found[0].mend in str(refused.value), door
        assert verifier_of(agency, role) == before, door
        if door == OWNING:
            agency.run(f"ALTER VIEW {agency.schema(ACME)}.dim_day OWNER TO meta_ads_views")
        else:
            agency.run(*(one.mend for one in found))
    assert open_doors(agency.warehouse, agency.id(ACME)) == []
    agency.let_in(ACME)


def test_a_role_of_that_name_that_may_do_more_gets_no_login(agency: Agency) -> None:
    agency.sync()
    agency.run(f"CREATE ROLE {agency.role(ACME)} CREATEROLE")
    with pytest.raises(FenceOpen, match="createrole"):
        agency.let_in(ACME)
    assert agency.rows("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [agency.role(ACME)]) == [(False,)]


@pytest.mark.xdist_group("mb_agency")
def test_the_agency_reads_all_marts_and_nothing_else_also_after_a_build_from_scratch(agency: Agency) -> None:
    agency.sync()
    existed = agency.rows("SELECT FROM pg_roles WHERE rolname = 'mb_agency'")
    role = ensure_agency_login(agency.warehouse, SecretStr(PASSWORD))
    try:
        agency.run("CREATE TABLE marts.mart_new (account_id bigint)")
        with agency.as_role(role) as session:
            assert session.execute("SELECT count(DISTINCT account_id) FROM mart_daily").fetchone() == (6,)
            for mart in (*PUBLISHED, "mart_totals", "mart_by_name", "mart_new"):
                session.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("marts", mart)))
            for place in ("ops.client_account", "raw.accounts", f"{agency.schema(ACME)}.mart_daily"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(f"SELECT * FROM {place}".encode())
            session.execute("SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("DELETE FROM marts.mart_daily")
        assert open_doors(agency.warehouse, None) == []
    finally:
        if not existed:
            agency.run("DROP OWNED BY mb_agency", "DROP ROLE mb_agency")


@pytest.fixture
def humble(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Agency, DatabaseUrl]]:
    """An agency whose platform is no superuser: it owns its database. Also the administrator's URL."""
    name = "humble_views"
    for module in (held, making, names, owner):
        monkeypatch.setattr(module, "VIEW_OWNER", name)
    with databases.fresh("plain", migrated=False) as url:
        admin = DatabaseUrl.parse(url)
        platform = f"platform_{admin.database}"
        administer(admin, f"DROP ROLE IF EXISTS {name}")
        administer(admin, f"CREATE ROLE {platform} LOGIN", f"ALTER DATABASE {admin.database} OWNER TO {platform}")
        as_platform = DatabaseUrl(platform, None, admin.host, admin.port, admin.database)
        with Warehouse(as_platform.render(reveal=True)) as warehouse:
            upgrade(warehouse)
            agency = make_agency(warehouse)
            yield agency, admin
        roles = administer(admin, f"SELECT rolname FROM pg_roles WHERE rolname ~ '^mb_.*{agency.suffix}$'")
        given = [*(found[0] for found in roles), name]
        administer(admin, *(f"DROP OWNED BY {role} CASCADE" for role in given))
        administer(admin, f"REASSIGN OWNED BY {platform} TO CURRENT_USER", f"DROP OWNED BY {platform}")
        administer(admin, *(f"DROP ROLE {role}" for role in (*given, platform)))


def administer(url: DatabaseUrl, *statements: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url.render(reveal=True), autocommit=True) as connection:
        for statement in statements:
            found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []


@pytest.mark.xdist_group("humble")
def test_without_the_right_to_make_roles_one_error_holds_the_sql_that_mends(humble: tuple[Agency, DatabaseUrl]) -> None:
    agency, admin = humble
    with pytest.raises(PermissionDenied) as refused:
        agency.sync()
    text = str(refused.value)
    assert "Everything else works without" in text
    assert agency.rows("SELECT FROM pg_namespace WHERE nspname LIKE 'client\\_%'") == []
    mend = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    administer(admin, *mend[:-1])  # the last one is for logins
    agency.sync()
    with pytest.raises(PermissionDenied) as denied:
        agency.let_in(ACME)
    assert PASSWORD not in "".join(traceback.format_exception(denied.value))
    assert mend[-1] in str(denied.value)
    administer(admin, mend[-1])
    with agency.as_role(agency.let_in(ACME)) as session:
        assert session.execute("SELECT DISTINCT account_id FROM mart_daily ORDER BY 1").fetchall() == [(101,), (102,)]


@pytest.mark.xdist_group("humble")
def test_with_the_right_to_make_roles_nobody_else_is_needed(humble: tuple[Agency, DatabaseUrl]) -> None:
    agency, admin = humble
    ((platform,),) = agency.rows("SELECT current_user")
    administer(admin, f"ALTER ROLE {platform} CREATEROLE")
    agency.sync()
    role = agency.let_in(ACME)
    with agency.as_role(role) as session:
        assert session.execute("SELECT count(*) FROM mart_daily").fetchone() == (20,)
        session.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE TEMP TABLE mine (i int)")
    agency.run("CREATE TEMP TABLE ours (i int)")  # as dbt does
    assert agency.sync(BLOOM).clients[0].has_login is False
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"), agency.as_role(role):
        pass
