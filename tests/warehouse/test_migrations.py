"""Migrations: repeatable, concurrent, and honest about a schema that does not fit."""

from __future__ import annotations

import multiprocessing

import pytest

from warehouse import migrations
from warehouse.connect import Warehouse
from warehouse.errors import SchemaOutdated
from warehouse.storage import Profile
from warehouse.tables import AD_DAILY, PRESETS, InsightTable, ensure_insight_table

pytestmark = pytest.mark.integration


def test_upgrade_reaches_head_and_can_be_repeated(plain_url: str) -> None:
    with Warehouse(plain_url) as warehouse:
        assert migrations.current(warehouse) is None
        assert migrations.upgrade(warehouse) == migrations.head()
        assert migrations.upgrade(warehouse) == migrations.head()
        migrations.check(warehouse)


def test_an_empty_database_is_reported_with_the_command_that_mends(plain_url: str) -> None:
    with Warehouse(plain_url) as warehouse, pytest.raises(SchemaOutdated, match="meta-ads migrate"):
        migrations.check(warehouse)


def test_a_database_of_newer_code_is_refused(plain_url: str) -> None:
    with Warehouse(plain_url) as warehouse:
        migrations.upgrade(warehouse)
        with warehouse.connection() as connection:
            connection.execute("UPDATE ops.alembic_version SET version_num = '9999'")
        for call in (migrations.check, migrations.upgrade):
            with pytest.raises(SchemaOutdated, match="newer code"):
                call(warehouse)


def test_processes_that_upgrade_at_once_do_not_collide(plain_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_upgrade, args=(plain_url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]


def _upgrade(url: str) -> None:
    with Warehouse(url) as warehouse:
        migrations.upgrade(warehouse)


@pytest.mark.timescale
def test_timescale_is_created_where_the_server_has_it(timescale_url: str) -> None:
    with Warehouse(timescale_url) as warehouse:
        migrations.upgrade(warehouse)
        assert warehouse.storage.profile is not Profile.PLAIN


def test_tables_have_the_columns_of_the_contract(warehouse: Warehouse) -> None:
    with warehouse.connection() as connection:
        for table in PRESETS.values():
            rows = connection.execute(
                """
                SELECT attname FROM pg_attribute
                WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
                """,
                [table.qualified_name],
            ).fetchall()
            assert [row[0] for row in rows] == [column.name for column in table.columns]


def test_a_declared_report_gets_its_table_once(warehouse: Warehouse) -> None:
    table = InsightTable("ad_daily__region", "ad", ("region",))
    assert ensure_insight_table(warehouse, table) is True
    assert ensure_insight_table(warehouse, table) is False
    assert ensure_insight_table(warehouse, AD_DAILY) is False
    with pytest.raises(SchemaOutdated, match="region"):
        ensure_insight_table(warehouse, InsightTable("ad_daily__region", "campaign", ("region",)))


@pytest.mark.parametrize("name", ["", "Ad", "a;b", 'a"b', "a" * 60, "1a", "ad daily", "ä"])
def test_names_that_are_no_identifiers_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        InsightTable(name, "ad")
    with pytest.raises(ValueError, match=r"cannot name|named twice"):
        InsightTable("custom", "ad", (name if len(name) < 60 else name * 2,))


def test_a_breakdown_may_not_take_the_name_of_a_column() -> None:
    with pytest.raises(ValueError, match="named twice"):
        InsightTable("custom", "ad", ("spend",))
