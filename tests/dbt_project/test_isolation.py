"""The clients' views on the real marts: each shows the client's rows alone, and which builds leave them standing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import sql

from tests.dbt_project.project import Project
from warehouse.isolation import sync_client_schemas
from warehouse.isolation.published import REFERENCE

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("dbt")]

ACME = "client_acme"
MART = "mart_funnel_daily"
VIEWS = ("fct_ad_day_action", "mart_ops_quality")


@pytest.fixture
def fenced(marts: Project) -> Iterator[Project]:
    """The marts, as after a build by the platform, which would have taken in every slice."""
    with marts.warehouse.connection() as connection:
        connection.execute("UPDATE ops.slice SET build_id = 0 WHERE build_id IS NULL")
    yield marts
    with marts.warehouse.connection() as connection:
        connection.execute("UPDATE ops.slice SET build_id = NULL WHERE build_id = 0")


def views(project: Project) -> set[str]:
    found = project.rows(f"SELECT relname FROM pg_class WHERE relnamespace = '{ACME}'::regnamespace AND relkind = 'v'")
    return {name for (name,) in found}


def test_every_mart_has_a_view_that_shows_the_clients_rows_and_no_other(fenced: Project) -> None:
    result = sync_client_schemas(fenced.warehouse)
    (acme,) = [client for client in result.clients if client.client_id == "acme"]
    assert result.unpublished == ()
    assert acme.accounts
    published = {
        name
        for (name,) in fenced.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'marts'::regnamespace AND relkind IN ('r', 'v')"
        )
    }
    assert views(fenced) == published
    assert len(published) >= 50
    hidden = 0
    with fenced.warehouse.connection() as connection:
        for name in sorted(published - REFERENCE):
            view, mart = sql.Identifier(ACME, name), sql.Identifier("marts", name)
            seen = connection.execute(
                sql.SQL("SELECT count(*), count(*) FILTER (WHERE NOT account_id = ANY (%s)) FROM {}").format(view),
                [list(acme.accounts)],
            ).fetchone()
            there = connection.execute(
                sql.SQL("SELECT count(*) FILTER (WHERE account_id = ANY (%s)), count(*) FROM {}").format(mart),
                [list(acme.accounts)],
            ).fetchone()
            assert seen is not None
            assert there is not None
            assert seen == (there[0], 0), name
            connection.execute(sql.SQL("SELECT * FROM {} LIMIT 5").format(view)).fetchall()
            hidden += there[1] - there[0]
    assert hidden > 0  # there is something to keep from the client
    for name in REFERENCE:
        assert fenced.rows(f"SELECT count(*) FROM {ACME}.{name}") == fenced.rows(f"SELECT count(*) FROM marts.{name}")
    assert sync_client_schemas(fenced.warehouse).changes == 0


def test_marts_that_are_views_are_replaced_in_place_and_a_table_made_anew_loses_its_views_until_the_next_sync(
    fenced: Project,
) -> None:
    sync_client_schemas(fenced.warehouse)
    assert fenced.run("run", "--select", *(f"config.materialized:view,+{name}" for name in VIEWS)).success
    assert sync_client_schemas(fenced.warehouse).changes == 0
    before = views(fenced)
    assert fenced.run("run", "--full-refresh", "--select", MART).success
    assert views(fenced) == before - {MART}
    (acme,) = [client for client in sync_client_schemas(fenced.warehouse).clients if client.client_id == "acme"]
    assert (acme.created, acme.replaced, acme.dropped) == ((MART,), (), ())
    assert views(fenced) == before
