"""What must hold for accounts, campaigns, ad sets and ads themselves.

What belongs here: the rules, and the query that measures an account. What does not: insights.
"""

from __future__ import annotations

from warehouse.quality.model import ENTITIES
from warehouse.quality.rules import ColumnRule, QueryRule, Rule

_PULL_ENTITIES = "run `meta-ads pull` (without --no-entities)"

MEASURE = r"""
    INSERT INTO quality_entity
    WITH object AS (
        SELECT 'campaign' AS level, account_id, id, name, payload FROM raw.campaigns
        WHERE account_id = ANY(%(accounts)s)
        UNION ALL
        SELECT 'adset', account_id, id, name, payload FROM raw.adsets WHERE account_id = ANY(%(accounts)s)
        UNION ALL
        SELECT 'ad', account_id, id, name, payload FROM raw.ads WHERE account_id = ANY(%(accounts)s)
    ),
    named AS (
        SELECT DISTINCT account_id, campaign_id, adset_id, ad_id
        FROM raw.insights_ad_daily
        WHERE account_id = ANY(%(accounts)s) AND day BETWEEN %(since)s AND %(until)s
    ),
    unknown AS (
        SELECT
            named.account_id,
            count(DISTINCT named.campaign_id) FILTER (WHERE campaign.id IS NULL)
            + count(DISTINCT named.adset_id) FILTER (WHERE adset.id IS NULL)
            + count(DISTINCT named.ad_id) FILTER (WHERE ad.id IS NULL) AS objects
        FROM named
        LEFT JOIN raw.campaigns AS campaign
            ON campaign.account_id = named.account_id AND campaign.id = named.campaign_id
        LEFT JOIN raw.adsets AS adset ON adset.account_id = named.account_id AND adset.id = named.adset_id
        LEFT JOIN raw.ads AS ad ON ad.account_id = named.account_id AND ad.id = named.ad_id
        GROUP BY named.account_id
    ),
    counted AS (
        SELECT
            object.account_id,
            count(*) FILTER (WHERE object.payload ->> 'account_id' <> object.account_id::text) AS foreign_objects,
            count(*) FILTER (WHERE coalesce(object.name, '') = '') AS unnamed_objects,
            count(*) FILTER (
                WHERE coalesce(object.payload ->> 'daily_budget', '0') !~ '^[0-9]+$'
                    OR coalesce(object.payload ->> 'lifetime_budget', '0') !~ '^[0-9]+$'
            ) AS odd_budgets,
            count(*) FILTER (
                WHERE (object.level = 'adset' AND campaign.id IS NULL) OR (object.level = 'ad' AND adset.id IS NULL)
            ) AS orphans
        FROM object
        LEFT JOIN raw.campaigns AS campaign
            ON campaign.account_id = object.account_id AND campaign.id::text = object.payload ->> 'campaign_id'
        LEFT JOIN raw.adsets AS adset
            ON adset.account_id = object.account_id AND adset.id::text = object.payload ->> 'adset_id'
        GROUP BY object.account_id
    )
    SELECT
        account.account_id,
        CASE WHEN held.id IS NULL THEN 1 ELSE 0 END,
        coalesce(held.payload ->> 'currency', ''),
        coalesce(held.payload ->> 'timezone_name', ''),
        CASE WHEN zone.name IS NULL THEN 1 ELSE 0 END,
        coalesce(counted.foreign_objects, 0),
        coalesce(counted.unnamed_objects, 0),
        coalesce(counted.odd_budgets, 0),
        coalesce(counted.orphans, 0),
        CASE WHEN account.is_import THEN 0 ELSE coalesce(unknown.objects, 0) END
    FROM quality_account AS account
    LEFT JOIN raw.accounts AS held ON held.account_id = account.account_id AND held.id = account.account_id
    LEFT JOIN pg_timezone_names AS zone ON zone.name = held.payload ->> 'timezone_name'
    LEFT JOIN counted ON counted.account_id = account.account_id
    LEFT JOIN unknown ON unknown.account_id = account.account_id
    WHERE account.report = 'entities' AND account.account_id = ANY(%(accounts)s)
"""

CREATE = """
    CREATE TEMPORARY TABLE quality_entity (
        account_id bigint,
        accounts_missing int,
        currency text,
        time_zone text,
        unknown_time_zones int,
        foreign_objects bigint,
        unnamed_objects bigint,
        odd_budgets bigint,
        orphans bigint,
        unknown_objects bigint
    )
"""

_CHANGED_ZONE = """
    SELECT
        slice.account_id,
        count(*) AS unexpected_count,
        array_agg(seen.first_day ORDER BY seen.first_seen_at) AS days,
        string_agg(seen.item, ', then ' ORDER BY seen.first_seen_at) AS observed
    FROM slice
    JOIN ops.quality_seen AS seen
        ON seen.account_id = slice.account_id AND seen.report = '{report}' AND seen.kind = 'time_zone'
    GROUP BY slice.account_id
    HAVING count(*) > 1
"""


def _counts(name: str, column: str, expected: str, wrong: str, mend: str) -> ColumnRule:
    return ColumnRule(name, "warn", expected, wrong, mend, kind="at_most", column=column, limit=0)


def rules() -> list[Rule]:
    """The rules of the suite of entities."""
    return [
        ColumnRule(
            "account_held",
            "error",
            "The account itself has been pulled.",
            "The account itself was never pulled, so its currency and time zone are unknown.",
            _PULL_ENTITIES,
            kind="at_most",
            column="accounts_missing",
            limit=0,
        ),
        ColumnRule(
            "currency_known",
            "error",
            "The account's currency is an ISO code.",
            "The account's currency is no ISO code: {observed}.",
            _PULL_ENTITIES,
            kind="matches",
            column="currency",
            limit="^[A-Z]{3}$",
        ),
        ColumnRule(
            "time_zone_known",
            "error",
            "PostgreSQL knows the account's time zone.",
            "PostgreSQL does not know the account's time zone, so its days cannot be told.",
            f"{_PULL_ENTITIES}; if it stays, update the database server's time zone files",
            kind="at_most",
            column="unknown_time_zones",
            limit=0,
        ),
        QueryRule(
            "time_zone_unchanged",
            "error",
            "The account keeps its time zone: its days mean the same throughout.",
            "The account's time zone changed: {observed}. Days before and after do not mean the same.",
            "pull the account's whole history again, then forget the earlier time zone with "
            "`DELETE FROM ops.quality_seen WHERE kind = 'time_zone' AND account_id = ...`",
            query=_CHANGED_ZONE,
            bindings={"report": ENTITIES},
        ),
        ColumnRule(
            "objects_are_the_accounts",
            "error",
            "Campaigns, ad sets and ads name the account that they are stored under.",
            "{count} objects name another account.",
            f"{_PULL_ENTITIES}; if it stays, report it as a defect",
            kind="at_most",
            column="foreign_objects",
            limit=0,
        ),
        _counts(
            "objects_named",
            "unnamed_objects",
            "Campaigns, ad sets and ads have names.",
            "{count} campaigns, ad sets or ads have no name.",
            "name them in Ads Manager: reports show names",
        ),
        _counts(
            "budgets_are_minor_units",
            "odd_budgets",
            "Budgets are whole numbers of minor units, not negative.",
            "{count} objects have a budget that is no whole number.",
            f"{_PULL_ENTITIES}; if it stays, report it as a defect",
        ),
        _counts(
            "parents_held",
            "orphans",
            "Every ad set's campaign and every ad's ad set are held.",
            "{count} ad sets or ads belong to something that is not held.",
            _PULL_ENTITIES,
        ),
        _counts(
            "objects_of_insights_held",
            "unknown_objects",
            "Every campaign, ad set and ad that insights name is held.",
            "{count} campaigns, ad sets or ads have insights, but were never pulled themselves.",
            _PULL_ENTITIES,
        ),
    ]
