"""Somebody with a client's login and a will: nothing of another client is read, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from tests.warehouse.isolation.agency import ACME, BLOOM, PASSWORD, Agency, fits

Session = psycopg.Connection[TupleRow]

WRITES = {
    "a function in its schema": "CREATE FUNCTION leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS "
    "'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
    "a function in public": "CREATE FUNCTION public.leak(text) RETURNS boolean LANGUAGE sql COST 0.0001 RETURN true",
    "a temporary function": "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE sql COST 0.0001 RETURN true",
    "an operator": "CREATE OPERATOR public.### (leftarg = text, rightarg = text, function = texteq)",
    "a temporary table": "CREATE TEMP TABLE mine AS SELECT 1",
    "a temporary view": "CREATE TEMP VIEW mine AS SELECT 1",
    "a schema": "CREATE SCHEMA mine",
    "an extension": "CREATE EXTENSION hstore",
    "a table in its schema": "CREATE TABLE mine (i int)",
    "a row through a view": "INSERT INTO dim_day VALUES ('2026-11-02', false)",
    "a change through a view": "UPDATE mart_daily SET spend = 0",
    "rows gone through a view": "DELETE FROM dim_campaign",
    "a row in a mart": "INSERT INTO marts.dim_day VALUES ('2026-11-02', false)",
    "the view itself": "CREATE OR REPLACE VIEW mart_daily AS SELECT * FROM marts.mart_daily",
    "the barrier": "ALTER VIEW mart_daily SET (security_barrier = false)",
    "the view gone": "DROP VIEW mart_daily",
    "its attributes": "ALTER ROLE CURRENT_USER BYPASSRLS",
    "another role's password": "ALTER ROLE {other} PASSWORD 'mine'",
    "a new role": "CREATE ROLE mine",
    "the server": "ALTER SYSTEM SET log_statement = 'all'",
    "the database": "ALTER DATABASE {database} SET search_path = marts",
    "a large object": "SELECT lo_from_bytea(0, 'x')",
    "another large object": "SELECT lo_create(0)",
    "a comment": "COMMENT ON VIEW mart_daily IS 'mine'",
    "a rule": "CREATE RULE mine AS ON INSERT TO dim_day DO INSTEAD NOTHING",
    "an event trigger": "CREATE EVENT TRIGGER mine ON sql_drop EXECUTE FUNCTION pg_sleep()",
}
READS = {
    "the mart": "SELECT * FROM marts.mart_daily",
    "the state": "SELECT * FROM ops.client_account",
    "another client": "SELECT * FROM {schema}.mart_daily",
    "hashes": "SELECT rolpassword FROM pg_authid",
    "statistics": "SELECT * FROM pg_statistic",
    "large objects": "SELECT * FROM pg_largeobject",
    "one large object": "SELECT lo_get({blob})",
    "a file": "SELECT pg_read_file('postgresql.conf')",
    "a directory": "SELECT pg_ls_dir('.')",
    "a file by COPY": "COPY (SELECT 1) TO '/tmp/mine'",
    "a program": "COPY (SELECT * FROM mart_daily) TO PROGRAM 'cat > /tmp/mine'",
    "the owner of the views": "SET ROLE meta_ads_views",
    "another client's role": "SET ROLE {other}",
    "the superuser": "SET ROLE postgres",
    "another session": "SET SESSION AUTHORIZATION {other}",
    "a role by a function": "SELECT set_config('role', 'meta_ads_views', false)",
    "a query in a function": "SELECT query_to_xml('SELECT * FROM marts.mart_daily', true, false, '')",
    "a table in a function": "SELECT table_to_xml('marts.mart_daily', true, false, '')",
    "a block": "DO $$ BEGIN PERFORM * FROM marts.mart_daily; END $$",
    "a prepared statement": "PREPARE mine AS SELECT * FROM marts.mart_daily",
    "a plan": "EXPLAIN ANALYZE SELECT * FROM marts.mart_daily",
    "a library": "LOAD '$libdir/auto_explain'",
    "another database": "SELECT dblink_connect('dbname=postgres')",
}


@pytest.fixture
def acme(agency: Agency) -> Iterator[Session]:
    """The client's session, with every setting that is the client's to change set as a thief would."""
    agency.sync()
    agency.let_in(BLOOM)
    with agency.as_role(agency.let_in(ACME)) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute("SET statement_timeout = 0")
        session.execute("SET row_security = off")
        yield session


@pytest.fixture
def places(agency: Agency) -> dict[str, str]:
    ((database, blob),) = agency.rows("SELECT current_database(), lo_from_bytea(0, 'of the agency')::text")
    return {"schema": agency.schema(BLOOM), "other": agency.role(BLOOM), "database": database, "blob": blob}


def test_nothing_is_written_though_read_only_is_switched_off(
    agency: Agency, acme: Session, places: dict[str, str]
) -> None:
    for what, statement in WRITES.items():
        with pytest.raises(psycopg.Error) as refused:
            acme.execute(statement.format(**places).encode())
        # Reason: a typo would be refused, too. 0A000: the server does not have the extension.
        refusals = ("42501", "0A000") if what == "an extension" else ("42501",)
        assert refused.value.sqlstate in refusals, (what, refused.value)
    acme.execute("GRANT SELECT ON mart_daily TO PUBLIC")  # a warning and nothing else
    assert agency.rows(
        "SELECT DISTINCT grantee::regrole::text FROM pg_class, aclexplode(relacl) "
        "WHERE relnamespace = to_regnamespace(%s) ORDER BY 1",
        [agency.schema(ACME)],
    ) == [(agency.role(ACME),), ("meta_ads_views",)]
    assert agency.rows("SELECT sum(spend) > 0, count(*) FROM marts.mart_daily") == [(True, 60)]


def test_nothing_else_is_read(acme: Session, places: dict[str, str]) -> None:
    for what, statement in READS.items():
        with pytest.raises(psycopg.Error) as refused:
            acme.execute(statement.format(**places).encode())
        refusals = ("42501", "42883") if what == "another database" else ("42501",)  # 42883: there is no such function
        assert refused.value.sqlstate in refusals, (what, refused.value)


def test_no_relation_of_any_other_schema_is_readable(agency: Agency, acme: Session) -> None:
    """Whatever there is: found in the catalog, and asked for."""
    found = agency.rows(
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE relkind = ANY ('{r,p,v,m,f,S}') AND nspname NOT IN ('pg_catalog', 'information_schema', %s) "
        "AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND classid = 'pg_class'::regclass "
        "AND deptype = 'e')",
        [agency.schema(ACME)],
    )
    assert len(found) > 60
    assert {"raw", "ops", "marts", agency.schema(BLOOM)} <= {schema for schema, _ in found}
    for schema, name in found:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            acme.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(schema, name)))


def test_a_setting_changes_nothing_of_what_is_seen(acme: Session) -> None:
    for statement in (
        "SELECT set_config('app.client', 'bloom', false), set_config('search_path', 'marts, public', false)",
        "SET session_replication_role = replica",
        "SET search_path = marts",
    ):
        try:
            acme.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            continue
    with pytest.raises(psycopg.errors.UndefinedTable):  # a schema that is closed is not looked into
        acme.execute("SELECT * FROM mart_daily")


def test_a_condition_that_fails_on_other_rows_is_never_asked_about_them(agency: Agency, acme: Session) -> None:
    """A division that tells by failing that somebody has account 0; without the barrier the planner asks it first."""
    agency.declare({ACME: tuple(range(103, 110)), BLOOM: (0,)})
    agency.run("INSERT INTO marts.mart_daily (account_id, day, campaign_name) VALUES (0, '2026-11-01', '')")
    agency.build()
    agency.sync()
    question = "SELECT count(*) FROM mart_daily WHERE 1 / account_id IS NOT NULL"
    assert acme.execute(question).fetchone() == (20,)
    agency.run(f"ALTER VIEW {agency.schema(ACME)}.mart_daily RESET (security_barrier)")
    with pytest.raises(psycopg.errors.DivisionByZero):
        acme.execute(question)
    agency.sync()
    assert acme.execute(question).fetchone() == (20,)


def test_plans_and_statistics_tell_nothing_of_other_rows(agency: Agency, acme: Session) -> None:
    plan = "\n".join(
        str(row[0])
        for row in acme.execute("EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM mart_daily WHERE campaign_name > ''")
    )
    assert "{101,102}" in plan
    assert not any(word in plan for word in ("201", "301", agency.id(BLOOM), agency.schema(BLOOM)))
    assert agency.rows("SELECT count(*) > 0 FROM pg_stats WHERE schemaname = 'marts'") == [(True,)]
    for statistics in ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"):
        found = acme.execute(
            f"SELECT * FROM {statistics} WHERE schemaname !~ '^(pg_|information|_?timescale)'".encode()
        )
        assert found.fetchall() == []


def test_the_views_of_other_clients_are_named_but_closed_and_their_people_unseen(agency: Agency, acme: Session) -> None:
    """The limit of the fence, which the documentation states: the catalog names schemas and roles."""
    assert acme.execute("SELECT FROM pg_namespace WHERE nspname = %s", [agency.schema(BLOOM)]).fetchone() is not None
    assert (
        acme.execute("SELECT FROM information_schema.tables WHERE table_schema = %s", [agency.schema(BLOOM)]).fetchall()
        == []
    )
    with agency.as_role(agency.role(BLOOM)) as other:
        other.execute("SELECT 'a secret of bloom', count(*) FROM mart_daily")
        seen = acme.execute("SELECT query FROM pg_stat_activity WHERE usename = %s", [agency.role(BLOOM)]).fetchall()
    assert seen == [("<insufficient privilege>",)]


def test_a_client_who_changes_its_own_settings_is_set_right_by_the_next_login(agency: Agency, acme: Session) -> None:
    """PostgreSQL lets every role set its own defaults and password."""
    role = agency.role(ACME)
    acme.execute(f"ALTER ROLE {role} SET search_path = public".encode())
    acme.execute(f"ALTER ROLE {role} PASSWORD 'mine'".encode())
    agency.let_in(ACME)
    with agency.as_role(role) as session:
        assert session.execute("SHOW search_path").fetchone() == (agency.schema(ACME),)
        assert session.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
    ((verifier,),) = agency.rows("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role])
    assert fits(PASSWORD, verifier)
