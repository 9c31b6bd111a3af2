"""What a client sees: its accounts' rows of every mart, and whose they are when that changes."""

from __future__ import annotations

import pytest
from psycopg import sql

from tests.warehouse.isolation.agency import ACCOUNTS, ACME, BLOOM, CORVID, PUBLISHED, Agency
from warehouse.errors import ClientSchemasFailed
from warehouse.isolation import role_name, schema_name
from warehouse.isolation.published import Mart
from warehouse.isolation.views import _DEFINITION, View

ODD = ["A&B", "a b", "a_b", "a-b", "agency", "Ümlaut GmbH & Söhne", '"; DROP SCHEMA marts; --', "x" * 200, "🦊", "Acme"]


def views(agency: Agency, client: str) -> dict[str, list[str]]:
    """Columns of everything in a client's schema, as the catalog has it."""
    found = agency.rows(
        "SELECT relname, array_agg(attname::text ORDER BY attnum) "
        "FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "
        "WHERE relnamespace = to_regnamespace(%s) AND relkind <> 'i' AND attnum > 0 GROUP BY relname",
        [agency.schema(client)],
    )
    return dict(found)


def accounts_in(agency: Agency, client: str, view: str = "mart_daily") -> list[int]:
    statement = sql.SQL("SELECT DISTINCT account_id FROM {} ORDER BY 1").format(
        sql.Identifier(agency.schema(client), view)
    )
    return [row[0] for row in agency.rows(statement)]


@pytest.mark.parametrize("client", list(ACCOUNTS))
def test_a_client_sees_in_every_view_its_own_rows_all_of_them_and_no_other(agency: Agency, client: str) -> None:
    agency.sync()
    agency.let_in(client)
    found = views(agency, client)
    assert sorted(found) == sorted(PUBLISHED)
    own = list(ACCOUNTS[client])
    with agency.as_role(agency.role(client)) as session:
        for view, columns in found.items():
            if "account_id" not in columns:
                continue
            name = sql.Identifier(view)
            foreign = session.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE account_id IS NULL OR NOT account_id = ANY (%s)").format(name),
                [own],
            ).fetchone()
            seen = session.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
            there = agency.rows(
                sql.SQL("SELECT count(*) FROM {} WHERE account_id = ANY (%s)").format(sql.Identifier("marts", view)),
                [own],
            )
            assert foreign == (0,), view
            assert seen == there[0] != (0,), view
        assert session.execute("SELECT * FROM dim_day").fetchall() == agency.rows("SELECT * FROM marts.dim_day")


def test_views_have_the_marts_columns_in_their_order(agency: Agency) -> None:
    agency.sync()
    for view, columns in views(agency, ACME).items():
        assert agency.rows(
            "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0",
            [f"marts.{view}"],
        ) == [(columns,)]


def test_a_definition_that_changes_has_another_number() -> None:
    """Views that stand are replaced by their fingerprint: raise the number with the statement, and both here."""
    columns = (("account_id", "bigint"), ("client_id", "text"), ("client_name", "text"), ("ROAS %", "numeric(9,2)"))
    mart = Mart(7, "mart_x", columns)
    statement = View("client_a", mart, "it's", (1, 22)).statement().as_string()
    assert (
        _DEFINITION,
        statement,
    ) == (
        1,
        'CREATE OR REPLACE VIEW "client_a"."mart_x" WITH (security_barrier = true) AS SELECT mart."account_id", '
        "'it''s'::text AS \"client_id\", CASE WHEN mart.\"client_id\" = 'it''s' THEN mart.\"client_name\" END AS "
        '"client_name", mart."ROAS %" FROM "marts"."mart_x" AS mart WHERE mart."account_id" = '
        "ANY ('{1,22}'::bigint[])",
    )
    others = [
        View("client_a", Mart(8, "mart_x", columns), "it's", (1, 22)),
        View("client_a", Mart(7, "mart_x", columns[:-1]), "it's", (1, 22)),
        View("client_a", mart, "its", (1, 22)),
        View("client_a", mart, "it's", (12, 2)),
        View("client_a", mart, "it's", ()),
    ]
    assert len({view.fingerprint for view in (*others, View("client_a", mart, "it's", (1, 22)))}) == 6


def test_what_is_nobodys_or_not_published_is_shown_to_no_client(agency: Agency) -> None:
    result = agency.sync()
    assert result.unpublished == ("mart_by_name", "mart_totals")
    assert not {"mart_by_name", "mart_totals", "helper", "mart_old__dbt_tmp"} & views(agency, ACME).keys()


def test_the_views_are_barriers_and_their_owner_owns_nothing_else(agency: Agency) -> None:
    agency.sync()
    found = agency.rows(
        "SELECT DISTINCT relkind::text, relnamespace::regnamespace::text, reloptions, relowner::regrole::text "
        "FROM pg_class WHERE relowner = 'meta_ads_views'::regrole ORDER BY 2"
    )
    schemas = sorted(agency.schema(client) for client in ACCOUNTS)
    assert found == [("v", schema, ["security_barrier=true"], "meta_ads_views") for schema in schemas]
    owned = "SELECT DISTINCT classid::regclass::text FROM pg_shdepend WHERE refobjid = 'meta_ads_views'::regrole"
    assert agency.rows(
        f"{owned} AND deptype = 'o' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ) == [("pg_class",)]
    assert agency.rows("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'meta_ads_views'") == [
        (False, False, False)
    ]


def test_a_moved_account_closes_at_once_and_opens_after_a_build(agency: Agency) -> None:
    agency.sync()
    agency.move(101, BLOOM)
    result = agency.sync()
    assert accounts_in(agency, ACME) == [102]
    assert accounts_in(agency, BLOOM) == [201, 202, 203]
    assert {client.client_id: client.waiting for client in result.clients}[agency.id(BLOOM)] == (101,)
    for status in ("running", "failed", "died"):
        agency.build(status)
        agency.sync()
        assert accounts_in(agency, BLOOM) == [201, 202, 203], status
        assert accounts_in(agency, ACME) == [102], status
    agency.build(whole=False)  # a person built some tables alone
    agency.sync()
    assert accounts_in(agency, BLOOM) == [201, 202, 203]
    agency.build()
    assert agency.sync().changes > 0
    assert accounts_in(agency, BLOOM) == [101, 201, 202, 203]
    agency.build("failed")
    assert agency.sync().changes == 0  # what is open stays open


def test_rows_that_no_build_writes_anew_do_not_name_the_client_of_before(agency: Agency) -> None:
    agency.sync()
    agency.move(101, BLOOM)
    agency.build()
    agency.sync()
    named = sql.SQL("SELECT DISTINCT client_id, client_name FROM {} WHERE account_id = %s").format(
        sql.Identifier(agency.schema(BLOOM), "mart_daily")
    )
    assert agency.rows(named, [101]) == [(agency.id(BLOOM), None)]
    assert agency.rows(named, [201]) == [(agency.id(BLOOM), "Name of bloom")]


def test_a_new_account_and_a_new_client_appear_after_the_build_that_has_them(agency: Agency) -> None:
    agency.sync()
    agency.declare({ACME: (103,), "dune": (401,)})
    result = agency.sync()
    assert [client.waiting for client in result.clients] == [(103,), (), (), (401,)]
    assert accounts_in(agency, "dune", "dim_account") == []
    agency.build()
    agency.sync()
    assert accounts_in(agency, ACME, "dim_account") == [101, 102, 103]
    assert accounts_in(agency, "dune", "dim_account") == [401]


def test_without_a_dimension_of_accounts_nobody_sees_anything(agency: Agency) -> None:
    agency.run("DROP TABLE marts.dim_account CASCADE")
    result = agency.sync()
    assert [client.accounts for client in result.clients] == [(), (), ()]
    assert accounts_in(agency, ACME) == []


def test_before_the_first_build_there_is_nothing_to_do(agency: Agency) -> None:
    agency.run("DROP SCHEMA marts CASCADE")
    assert agency.sync().clients == ()
    assert agency.rows("SELECT FROM pg_namespace WHERE nspname LIKE 'client\\_%'") == []


def test_a_client_that_is_declared_no_more_loses_views_and_login_and_nothing_else(agency: Agency) -> None:
    agency.sync()
    agency.let_in(ACME)
    schema = agency.schema(ACME)
    agency.run(f"CREATE TABLE {schema}.notes (text text)", f"INSERT INTO {schema}.notes VALUES ('mine')")
    with agency.as_role(agency.role(ACME)) as session:
        assert session.execute("SELECT count(*) FROM mart_daily").fetchone() == (20,)
        result = agency.sync(BLOOM, CORVID)
        with pytest.raises(Exception, match=r"does not exist|permission denied"):
            session.execute(f"SELECT count(*) FROM {schema}.mart_daily".encode())
    retired = next(client for client in result.clients if client.client_id == agency.id(ACME))
    assert (retired.is_retired, retired.dropped, retired.has_login) == (True, PUBLISHED, False)
    assert list(views(agency, ACME)) == ["notes"]
    assert agency.rows(f"SELECT text FROM {schema}.notes") == [("mine",)]
    assert agency.rows("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [agency.role(ACME)]) == [(False,)]
    with pytest.raises(Exception, match="not permitted to log in"), agency.as_role(agency.role(ACME)):
        pass
    assert agency.sync(BLOOM, CORVID).changes == 0
    assert accounts_in(agency, BLOOM) == [201, 202, 203]
    agency.sync()
    assert accounts_in(agency, ACME) == [101, 102]  # declared again


def test_ids_with_odd_characters_get_schemas_of_their_own(agency: Agency) -> None:
    agency.suffix = ""
    agency.run("DELETE FROM ops.client_account", "TRUNCATE marts.dim_account CASCADE")
    agency.extra_clients += ODD
    for number, client in enumerate(ODD, start=101):
        agency.run("SELECT 1")
        with agency.warehouse.connection() as connection:
            connection.execute(
                "INSERT INTO ops.client_account (account_id, client_id, client_name) VALUES (%s, %s, 'x')",
                [number, client],
            )
    agency.run(
        "INSERT INTO marts.dim_account SELECT account_id, client_id, client_name, '' FROM ops.client_account",
        "INSERT INTO marts.mart_daily (account_id, day, campaign_name) "
        "SELECT account_id, '2026-12-01', '' FROM ops.client_account",
    )
    result = agency.sync()
    assert len({client.schema for client in result.clients}) == len(ODD)
    assert all(len(client.schema.encode()) <= 63 and client.schema.isascii() for client in result.clients)
    for number, client in enumerate(ODD, start=101):
        statement = sql.SQL("SELECT DISTINCT account_id, client_id FROM {}").format(
            sql.Identifier(schema_name(client), "mart_daily")
        )
        assert agency.rows(statement) == [(number, client)]
    assert role_name("agency") != "mb_agency"
    assert schema_name("a-b") == "client_a_b" != schema_name("a_b")


def test_a_schema_or_a_table_of_somebody_else_is_named_and_stays_and_the_other_clients_go_on(agency: Agency) -> None:
    taken = agency.schema(ACME)
    agency.run(f"CREATE SCHEMA {taken}", f"CREATE TABLE {taken}.mart_daily (secret text)")
    with pytest.raises(ClientSchemasFailed, match=f"{taken} exists and belongs to somebody else"):
        agency.sync()
    assert accounts_in(agency, BLOOM) == [201, 202, 203]
    assert list(views(agency, ACME)) == ["mart_daily"]
    agency.run(f"DROP SCHEMA {taken} CASCADE")
    agency.sync()
    agency.run(f"DROP VIEW {taken}.mart_daily", f"CREATE TABLE {taken}.mart_daily (secret text)")
    with pytest.raises(ClientSchemasFailed, match=f"{taken}.mart_daily was not made by the platform"):
        agency.sync()
    assert agency.rows(f"SELECT count(*) FROM {taken}.mart_daily") == [(0,)]


def test_a_view_that_is_no_barrier_any_more_is_made_one_again(agency: Agency) -> None:
    agency.sync()
    agency.run(f"ALTER VIEW {agency.schema(ACME)}.mart_daily RESET (security_barrier)")
    (acme, *_) = agency.sync().clients
    assert acme.replaced == ("mart_daily",)
