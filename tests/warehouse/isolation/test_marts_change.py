"""Marts that change under the views: columns, tables made anew, builds beside a sync."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from tests.warehouse.isolation.agency import ACME, BLOOM, CORVID, PUBLISHED, Agency
from tests.warehouse.isolation.test_views import accounts_in, views
from warehouse.errors import ClientSchemasFailed, Contention
from warehouse.isolation import locking

# What dbt sends for a table under --full-refresh: the new one beside the old, both renamed, and in a later transaction
# the old one dropped with all that was made on it (dbt-postgres 1.11, materialization `incremental`).
SWAP = (
    "BEGIN",
    "CREATE TABLE marts.{0}__dbt_tmp AS SELECT * FROM marts.{0}",
    "ALTER TABLE marts.{0} RENAME TO {0}__dbt_backup",
    "ALTER TABLE marts.{0}__dbt_tmp RENAME TO {0}",
    "COMMIT",
)
DROP = "DROP TABLE IF EXISTS marts.{0}__dbt_backup CASCADE"


def identities(agency: Agency) -> list[tuple[object, ...]]:
    """Every catalog row that a sync could write, with its version."""
    return agency.rows(
        "SELECT oid, xmin::text FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'client\\_%' "
        "UNION ALL SELECT pg_rewrite.oid, pg_rewrite.xmin::text FROM pg_rewrite "
        "UNION ALL SELECT oid, xmin::text FROM pg_namespace UNION ALL SELECT objoid, xmin::text FROM pg_description "
        "UNION ALL SELECT oid, xmin::text FROM pg_default_acl ORDER BY 1, 2"
    )


def test_a_second_sync_writes_nothing(agency: Agency) -> None:
    assert agency.sync().changes == 3 * len(PUBLISHED)
    agency.let_in(ACME)
    agency.sync()
    before = identities(agency)
    assert agency.sync().changes == 0
    assert identities(agency) == before


def test_a_column_at_the_end_is_gained_in_place_and_rights_stay(agency: Agency) -> None:
    agency.sync()
    agency.let_in(ACME)
    agency.run("ALTER TABLE marts.mart_daily ADD COLUMN roas numeric DEFAULT 3.5")
    result = agency.sync()
    assert [client.replaced for client in result.clients] == [("mart_daily",)] * 3
    with agency.as_role(agency.role(ACME)) as session:
        assert session.execute("SELECT DISTINCT roas::text FROM mart_daily").fetchall() == [("3.5",)]


def test_columns_that_go_or_change_their_type_make_the_view_anew(agency: Agency) -> None:
    agency.sync()
    agency.let_in(ACME)
    # Reason for the cascade: a column that a view shows cannot go without it, so whoever does this by hand writes it.
    agency.run(
        "ALTER TABLE marts.mart_daily DROP COLUMN goals CASCADE",
        "DROP TABLE marts.fct_hour CASCADE",
        "CREATE TABLE marts.fct_hour (account_id bigint, hour text)",
    )
    (acme, *_) = agency.sync().clients
    assert acme.created == ("fct_hour", "mart_daily")
    assert acme.dropped == ()  # it went with its table
    assert "fct_hour_p2026_11" not in views(agency, ACME)
    with agency.as_role(agency.role(ACME)) as session:
        assert session.execute("SELECT count(*) FROM mart_daily").fetchone() == (20,)
        assert session.execute("SELECT count(*) FROM fct_hour").fetchone() == (0,)


def test_a_view_that_cannot_be_replaced_is_dropped_unless_somebody_built_on_it(agency: Agency) -> None:
    agency.sync()
    schema = agency.schema(ACME)
    # The table is another one under the old name, while the views still show the old one.
    agency.run(
        "ALTER TABLE marts.mart_daily RENAME TO old", "CREATE TABLE marts.mart_daily (spend text, account_id bigint)"
    )
    agency.run(f"CREATE VIEW {schema}.my_own AS SELECT spend FROM {schema}.mart_daily")
    with pytest.raises(ClientSchemasFailed, match=rf"{schema}.mart_daily has to be dropped.*my_own"):
        agency.sync()
    assert views(agency, BLOOM)["mart_daily"] == ["spend", "account_id"]
    agency.run(f"DROP VIEW {schema}.my_own")
    agency.sync()
    assert views(agency, ACME)["mart_daily"] == ["spend", "account_id"]


def test_a_mart_that_is_gone_takes_its_view_along_and_one_that_is_renamed_moves_it(agency: Agency) -> None:
    agency.sync()
    agency.run("ALTER TABLE marts.dim_campaign RENAME TO helper_campaign")
    (acme, *_) = agency.sync().clients
    assert acme.dropped == ("dim_campaign",)
    assert "dim_campaign" not in views(agency, ACME)


def test_a_build_from_scratch_drops_views_and_the_next_sync_brings_them_back_with_their_rights(agency: Agency) -> None:
    agency.sync()
    agency.let_in(ACME)
    agency.run(*(statement.format("mart_daily") for statement in SWAP))
    with agency.as_role(agency.role(ACME)) as session:
        assert session.execute("SELECT count(*) FROM mart_daily").fetchone() == (20,)  # of the old table, for a moment
    agency.run(DROP.format("mart_daily"))
    assert "mart_daily" not in views(agency, ACME)
    (acme, *_) = agency.sync().clients
    assert (acme.created, acme.replaced) == (("mart_daily",), ())
    with agency.as_role(agency.role(ACME)) as session:
        assert session.execute("SELECT DISTINCT account_id FROM mart_daily ORDER BY 1").fetchall() == [(101,), (102,)]


def test_views_on_a_table_that_a_killed_build_left_behind_are_led_to_the_new_one(agency: Agency) -> None:
    agency.sync()
    agency.run(*(statement.format("mart_daily") for statement in SWAP))  # and then dbt dies
    agency.run("UPDATE marts.mart_daily SET spend = 0")
    result = agency.sync()
    assert [client.replaced for client in result.clients] == [("mart_daily",)] * 3
    assert agency.rows(f"SELECT DISTINCT spend FROM {agency.schema(ACME)}.mart_daily") == [(0,)]


def test_builds_and_syncs_beside_each_other_never_end_a_build(agency: Agency) -> None:
    """A build that swaps tables and drops what is on them, two syncs at once, and a reader: the build never fails."""
    agency.sync()
    agency.let_in(ACME)
    stop = threading.Event()
    problems: list[Exception] = []

    def build() -> None:
        try:
            session = agency.warehouse.session()
            with session:
                for _ in range(8):
                    for table in ("mart_daily", "dim_campaign"):
                        for statement in (*SWAP, DROP):
                            session.execute(statement.format(table).encode())
        except Exception as problem:  # noqa: BLE001 - told by the test's own thread
            problems.append(problem)
        finally:
            stop.set()

    def sync() -> None:
        while not stop.is_set():
            try:
                agency.sync()
            except Contention:
                time.sleep(0.01)  # a sync may be told to come again
            except Exception as problem:  # noqa: BLE001 - told by the test's own thread
                problems.append(problem)

    def read() -> None:
        with agency.as_role(agency.role(ACME)) as session:
            while not stop.is_set():
                try:
                    found = session.execute("SELECT DISTINCT account_id FROM mart_daily").fetchall()
                except (psycopg.errors.UndefinedTable, psycopg.errors.DeadlockDetected):
                    continue  # dropped for a moment
                except Exception as problem:  # noqa: BLE001 - told by the test's own thread
                    problems.append(problem)
                    return
                if not {row[0] for row in found} <= {101, 102}:
                    problems.append(AssertionError(found))

    threads = [threading.Thread(target=target) for target in (build, sync, sync, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert problems == []
    agency.sync()
    assert accounts_in(agency, ACME) == [101, 102]


def test_two_first_syncs_at_once_both_succeed(agency: Agency) -> None:
    changes: list[int] = []
    threads = [threading.Thread(target=lambda: changes.append(agency.sync().changes)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(changes) == [0, 3 * len(PUBLISHED)]


def test_a_mart_that_stays_locked_is_told_as_what_passes(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "_TIMEOUT", "SET lock_timeout = '100ms'")
    agency.sync()
    agency.run("ALTER TABLE marts.mart_daily ADD COLUMN roas numeric")
    session = agency.warehouse.session()
    with session:
        session.execute("BEGIN")
        session.execute("LOCK TABLE marts.mart_daily IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Contention):
            agency.sync()
    agency.sync()
    assert "roas" in views(agency, ACME)["mart_daily"]


def test_what_has_to_be_closed_is_closed_first(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that somebody reads for long cannot be replaced; the client that lost an account loses it anyway."""
    monkeypatch.setattr(locking, "_TIMEOUT", "SET lock_timeout = '100ms'")
    agency.declare({CORVID: (302,)})
    agency.build()
    agency.sync()
    assert accounts_in(agency, CORVID) == [301]
    agency.run("ALTER TABLE marts.mart_daily ADD COLUMN roas numeric")
    agency.move(301, ACME)
    with agency.as_role(agency.let_in(BLOOM)) as reader, reader.transaction():
        reader.execute("SELECT FROM mart_daily")
        with pytest.raises(Contention):
            agency.sync()
    assert accounts_in(agency, CORVID) == []


def test_many_views_are_made_once_and_left_alone_afterwards(agency: Agency) -> None:
    """How long that takes is for `python -m tests.bench upkeep`."""
    agency.declare({f"client-{number}": (1000 + number,) for number in range(17)})
    agency.build()
    for number in range(4):
        agency.run(f"CREATE TABLE marts.mart_{number} (account_id bigint, day date, client_id text, spend numeric)")
    assert agency.sync().changes == 20 * (len(PUBLISHED) + 4)
    assert agency.sync().changes == 0
