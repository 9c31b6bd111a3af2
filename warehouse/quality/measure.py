"""Measures a report, one row per account and day, in a session of its own: the batch that suites are run on.

What belongs here: the session's temporary tables and the one pass over a raw table that fills them. What does
not: judging what was measured (the rules, evaluated by Great Expectations in `warehouse.quality.engine`).

Nothing but counts ever leaves the database. The temporary tables are made first; then the session is turned
read-only, which PostgreSQL still lets write to them, so that a check cannot change data.

What is dear (every number of every window, every key of every row) is looked at in all rows of a batch up to
`LOOK_AT_ROWS`, and beyond in every n-th object, another one each day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from psycopg import sql

from warehouse.pool import Connection
from warehouse.quality import entity_rules
from warehouse.quality.model import ENTITIES
from warehouse.quality.rules import RowRule, Rule
from warehouse.tables import InsightTable

LOOK_AT_ROWS = 20_000

_CREATE_ACCOUNT = """
    CREATE TEMPORARY TABLE quality_account (
        report text,
        account_id bigint,
        since date,
        until date,
        checked_at timestamptz,
        yesterday date,
        currency text,
        time_zone text,
        conversion_action text,
        first_day date,
        last_day date,
        last_pull timestamptz,
        is_import boolean
    )
"""
_CREATE_FIELD = """
    CREATE TEMPORARY TABLE quality_field (report text, account_id bigint, day date, field text, rows_with bigint)
"""
_CREATE_HISTORY = """
    CREATE TEMPORARY TABLE quality_history (
        report text,
        account_id bigint,
        day date,
        weekday int,
        row_count int,
        spend numeric,
        attribution_windows text[],
        action_totals jsonb
    )
"""
_FILL_HISTORY = """
    INSERT INTO quality_history
    SELECT
        held.report,
        held.account_id,
        held.day,
        extract(DOW FROM held.day),
        held.row_count,
        revision.spend,
        held.attribution_windows,
        CASE WHEN held.day >= %(since)s THEN revision.action_totals END
    FROM ops.slice AS held
    JOIN raw.insight_revision AS revision
        ON
            revision.account_id = held.account_id
            AND revision.report = held.report
            AND revision.day = held.day
            AND revision.pulled_at = held.pulled_at
    WHERE
        held.account_id = ANY(%(accounts)s) AND held.report = %(report)s
        AND held.day BETWEEN %(since)s::date - 56 AND %(until)s
"""
_CREATE_SLICE = """
    CREATE TEMPORARY TABLE {batch} (
        account_id bigint,
        day date,
        stored_rows bigint,
        slice_rows bigint,
        repeated_keys bigint,
        duplicate_count bigint,
        imported_slices int,
        looked_at bigint,
        spend numeric
        {columns}
    )
"""
_FILL_ACCOUNT = """
    INSERT INTO quality_account
    SELECT
        wanted.report,
        wanted.account_id,
        %(since)s,
        %(until)s,
        %(now)s,
        (%(now)s AT TIME ZONE coalesce(zone.name, 'UTC'))::date - 1,
        account.payload ->> 'currency',
        account.payload ->> 'timezone_name',
        declared.conversion_action,
        held.first_day,
        held.last_day,
        held.last_pull,
        coalesce(origin.is_import, false)
    FROM unnest(%(accounts)s::bigint[], %(reports)s::text[]) AS wanted (account_id, report)
    LEFT JOIN raw.accounts AS account
        ON account.account_id = wanted.account_id AND account.id = wanted.account_id
    LEFT JOIN pg_timezone_names AS zone ON zone.name = account.payload ->> 'timezone_name'
    LEFT JOIN ops.client_account AS declared ON declared.account_id = wanted.account_id
    LEFT JOIN (
        SELECT account_id, report, min(day) AS first_day, max(day) AS last_day, max(pulled_at) AS last_pull
        FROM ops.slice
        GROUP BY account_id, report
    ) AS held ON held.account_id = wanted.account_id AND held.report = wanted.report
    LEFT JOIN (
        SELECT account_id, bool_and(source = 'import') AS is_import FROM ops.slice GROUP BY account_id
    ) AS origin ON origin.account_id = wanted.account_id
"""
# Reason: rows and their slices in one statement see one moment; a pull that commits between two statements would look
# like a day with the wrong number of rows.
_FILL_SLICE = """
    INSERT INTO {batch}
    SELECT
        coalesce(found.account_id, held.account_id),
        coalesce(found.day, held.day),
        coalesce(found.stored_rows, 0),
        coalesce(held.row_count, -1),
        coalesce(found.repeated_keys, 0),
        coalesce(held.duplicate_count, 0),
        CASE WHEN held.source = 'import' THEN 1 ELSE 0 END,
        coalesce(found.looked_at, 0),
        coalesce(found.spend, 0)
        {coalesced}
    FROM (
        SELECT
            r.account_id,
            r.day,
            count(*) AS stored_rows,
            {repeated} AS repeated_keys,
            count(*) FILTER (WHERE {sample}) AS looked_at,
            sum(r.spend) AS spend
            {counts}
        FROM {table} AS r
        JOIN quality_account AS a ON a.account_id = r.account_id AND a.report = {report}
        WHERE r.account_id = ANY(%(accounts)s) AND r.day BETWEEN %(since)s AND %(until)s
        GROUP BY r.account_id, r.day
    ) AS found
    FULL JOIN (
        SELECT account_id, day, row_count, duplicate_count, source
        FROM ops.slice
        WHERE report = {report} AND account_id = ANY(%(accounts)s) AND day BETWEEN %(since)s AND %(until)s
    ) AS held ON held.account_id = found.account_id AND held.day = found.day
"""
_FILL_FIELD = """
    INSERT INTO quality_field
    SELECT {report}, r.account_id, r.day, keys.field, count(*)
    FROM {table} AS r
    CROSS JOIN LATERAL jsonb_object_keys(r.payload) AS keys (field)
    WHERE r.account_id = ANY(%(accounts)s) AND r.day BETWEEN %(since)s AND %(until)s AND {sample}
    GROUP BY r.account_id, r.day, keys.field
"""
_FIELDS = """
    SELECT
        field.account_id,
        field.field,
        min(field.day),
        max(field.day),
        sum(field.rows_with) = (
            SELECT sum(slice.looked_at)
            FROM {batch} AS slice
            WHERE slice.account_id = field.account_id AND slice.day <= max(field.day)
        )
    FROM quality_field AS field
    WHERE field.report = {report}
    GROUP BY field.account_id, field.field
"""
_KEY = """
    SELECT array_agg(attname::text ORDER BY position)
    FROM pg_constraint
    CROSS JOIN unnest(conkey) WITH ORDINALITY AS key (number, position)
    JOIN pg_attribute ON attrelid = conrelid AND attnum = key.number
    WHERE conrelid = to_regclass(%s) AND contype = 'p' AND convalidated
"""
_HELD_ROWS = """
    SELECT coalesce(sum(row_count), 0)
    FROM ops.slice
    WHERE report = %s AND account_id = ANY(%s) AND day BETWEEN %s AND %s
"""
_EXAMPLES = """
    SELECT concat_ws(' ', {key}) || coalesce(': ' || ({shows}), '')
    FROM {table} AS r
    JOIN quality_account AS a ON a.account_id = r.account_id AND a.report = {report}
    WHERE r.account_id = %(account)s AND r.day = ANY(%(days)s) AND {sample} AND ({predicate})
    ORDER BY {order}
    LIMIT {most}
"""
_EXAMPLES_SHOWN = 3
_EXAMPLE_DAYS = 3


class Measurement:
    """A session in which accounts and days are measured. Close it; the tables go with it.

    Attributes:
        session: Read-only but for its own temporary tables.
    """

    def __init__(self, session: Connection, since: date, until: date, now: datetime) -> None:
        self.session = session
        self._range = {"since": since, "until": until}
        self._now = now
        self._samples: dict[str, int] = {}

    def prepare(
        self, suites: Iterable[tuple[InsightTable, Sequence[Rule]]], expected: Sequence[tuple[int, str]]
    ) -> None:
        """Makes the temporary tables, turns the session read-only, and describes the accounts.

        Args:
            suites: Reports with their rules.
            expected: Pairs of account and report (or `ENTITIES`) that are to be judged.
        """
        for statement in (_CREATE_ACCOUNT, _CREATE_FIELD, _CREATE_HISTORY, entity_rules.CREATE):
            self.session.execute(statement.encode())
        for table, rules in suites:
            columns = [sql.SQL(", {} bigint").format(sql.Identifier(rule.column)) for rule in _row_rules(rules)]
            self.session.execute(
                sql.SQL(_CREATE_SLICE).format(batch=batch_name(table.name), columns=sql.SQL("").join(columns))
            )
        # Reason: a plan with parallel workers or JIT pays for a large raw table only, and these temporary tables have
        # no statistics that would tell the planner so.
        self.session.execute("SET jit = off")
        self.session.autocommit = False
        self.session.read_only = True
        self.session.execute(
            _FILL_ACCOUNT.encode(),
            {
                **self._range,
                "now": self._now,
                "accounts": [account for account, _ in expected],
                "reports": [report for _, report in expected],
            },
        )
        self.session.commit()

    def measure_entities(self, accounts: Sequence[int]) -> None:
        """Fills the batch of entities."""
        self.session.execute(entity_rules.MEASURE.encode(), {**self._range, "accounts": list(accounts)})
        self.session.commit()

    def measure(self, table: InsightTable, rules: Sequence[Rule], accounts: Sequence[int]) -> int:
        """Fills the batch of a report in one pass over its raw table.

        Returns:
            Of how many rows one was looked at closely; 1 where all were.
        """
        parameters = {**self._range, "accounts": list(accounts)}
        held = self.session.execute(
            _HELD_ROWS, [table.name, list(accounts), self._range["since"], self._range["until"]]
        ).fetchone()
        self._samples[table.name] = every = max(1, -(-int(held[0] if held else 0) // LOOK_AT_ROWS))
        counts = [
            sql.SQL(", count(*) FILTER (WHERE {}) AS {}").format(self._where(table, rule), sql.Identifier(rule.column))
            for rule in _row_rules(rules)
        ]
        coalesced = [
            sql.SQL(", coalesce(found.{}, 0)").format(sql.Identifier(rule.column)) for rule in _row_rules(rules)
        ]
        names = {"batch": batch_name(table.name), "table": table.identifier, "report": sql.Literal(table.name)}
        self.session.execute(
            sql.SQL(_FILL_SLICE).format(
                **names,
                coalesced=sql.SQL("").join(coalesced),
                counts=sql.SQL("").join(counts),
                repeated=self._repeated(table),
                sample=self._sample(table),
            ),
            parameters,
        )
        self.session.execute(_FILL_HISTORY.encode(), {**parameters, "report": table.name})
        self.session.execute(sql.SQL(_FILL_FIELD).format(**names, sample=self._sample(table)), parameters)
        self.session.commit()
        return every

    def fields(self, table: InsightTable) -> list[tuple[Any, ...]]:
        """Account, field, first day, last day, and whether every row until then had it."""
        names = {"batch": batch_name(table.name), "report": sql.Literal(table.name)}
        found = self.session.execute(sql.SQL(_FIELDS).format(**names)).fetchall()
        self.session.commit()
        return found

    def time_zones(self, accounts: Sequence[int]) -> list[tuple[Any, ...]]:
        """Account, time zone and the account's yesterday, where a time zone is known."""
        found = self.session.execute(
            "SELECT account_id, time_zone, yesterday FROM quality_account"
            " WHERE report = %s AND time_zone IS NOT NULL AND account_id = ANY(%s)",
            [ENTITIES, list(accounts)],
        ).fetchall()
        self.session.commit()
        return found

    def examples(self, table: InsightTable, rule: RowRule, account_id: int, days: Sequence[date]) -> list[str]:
        """Keys of some rows that break a rule, with what is wrong in them."""
        key = table.primary_key[1:]
        statement = sql.SQL(_EXAMPLES).format(
            key=sql.SQL(", ").join(sql.Identifier("r", name) for name in key),
            order=sql.SQL(", ").join(sql.Identifier("r", name) for name in key),
            shows=sql.SQL(rule.shows),
            table=table.identifier,
            report=sql.Literal(table.name),
            sample=self._sample(table) if rule.is_sampled else sql.SQL("true"),
            predicate=_escaped(rule.predicate),
            most=sql.Literal(_EXAMPLES_SHOWN),
        )
        rows = self.session.execute(statement, {"account": account_id, "days": list(days)[:_EXAMPLE_DAYS]}).fetchall()
        self.session.commit()
        return [row[0] for row in rows if row[0]]

    def _where(self, table: InsightTable, rule: RowRule) -> sql.Composable:
        predicate = _escaped(rule.predicate)
        if not rule.is_sampled or self._samples[table.name] == 1:
            return predicate
        # Reason: CASE, because AND may evaluate its dear side first.
        return sql.SQL("CASE WHEN {} THEN {} END").format(self._sample(table), predicate)

    def _sample(self, table: InsightTable) -> sql.Composable:
        every = self._samples.get(table.name, 1)
        if every == 1:
            return sql.SQL("true")
        object_id = table.level_ids[-1] if table.level_ids else "account_id"
        return sql.SQL("(hashint8({}) & 1048575) %% {} = (r.day - DATE '2000-01-01') %% {}").format(
            sql.Identifier("r", object_id), sql.Literal(every), sql.Literal(every)
        )

    def _repeated(self, table: InsightTable) -> sql.Composable:
        """Rows beyond the first of each key; the server's own primary key is proof enough where it is there."""
        found = self.session.execute(_KEY, [table.qualified_name]).fetchone()
        if found is not None and found[0] is not None and set(found[0]) == set(table.primary_key):
            return sql.SQL("0")
        key = sql.SQL(", ").join(sql.Identifier("r", name) for name in table.primary_key)
        return sql.SQL("count(*) - count(DISTINCT ROW({}))").format(key)


def batch_table(report: str) -> str:
    """Name of the temporary table of a report's batch; a report's name is short enough for it."""
    return "quality_entity" if report == ENTITIES else f"quality_of_{report}"


def batch_name(report: str) -> sql.Identifier:
    """The same, quoted."""
    return sql.Identifier(batch_table(report))


def _row_rules(rules: Sequence[Rule]) -> list[RowRule]:
    return [rule for rule in rules if isinstance(rule, RowRule)]


def _escaped(predicate: str) -> sql.SQL:
    # Reason: psycopg reads % as a parameter, and `SQL.format` leaves what is put in alone.
    return sql.SQL(predicate.replace("%", "%%"))
