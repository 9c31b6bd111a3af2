"""Bugs in what was when: versions of objects, the day as of which one held, budgets and pacing, delivery."""

from __future__ import annotations

from tests.mutations.mutant import Mutant

_AS_OF = "macros/as_of_day.sql"
_STATES = "models/intermediate/history/int_object_states.sql"
_CHANGES = "models/intermediate/history/int_object_changes.sql"
_BUDGET = "models/marts/budget/mart_budget_daily.sql"
_PACING = "models/marts/budget/mart_budget_pacing.sql"

MUTANTS = (
    Mutant(
        "as-of-the-days-start",
        _AS_OF,
        "(({{ day }} + 1)::timestamp at time zone",
        "(({{ day }})::timestamp at time zone",
        "a budget that was raised in the morning counts from tomorrow",
    ),
    Mutant(
        "change-at-midnight-belongs-to-both-days",
        _AS_OF,
        "{{ history }}.valid_from < {{ end_of_day",
        "{{ history }}.valid_from <= {{ end_of_day",
        "two versions hold at once, and rows double",
    ),
    Mutant(
        "as-of-in-utc",
        _AS_OF,
        "at time zone {{ time_zone }})",
        "at time zone 'UTC')",
        "days are UTC's and not the account's",
    ),
    Mutant(
        "past-yen-with-cents",
        "macros/object_changes.sql",
        "attribute ~ \"')::numeric\", 'accounts.minor_unit_exponent') }}",
        "attribute ~ \"')::numeric\", '2') }}",
        "past budgets in yen are a hundredth of what they were",
    ),
    Mutant(
        "versions-newest-first",
        _STATES,
        "row_number() over later as version",
        "row_number() over (partition by account_id, object_level, object_id order by happened_at desc) as version",
        "version 1 is another one after each change",
    ),
    Mutant(
        "log-loses-to-snapshot",
        _STATES,
        "            when bool_or(source = 'activity') over at_once then 'activity'\n"
        "            when bool_or(source = 'snapshot') over at_once then 'snapshot'\n",
        "            when bool_or(source = 'snapshot') over at_once then 'snapshot'\n"
        "            when bool_or(source = 'activity') over at_once then 'activity'\n",
        "a logged change is shown as merely noticed",
    ),
    Mutant(
        "taken-back-to-the-last-change",
        _STATES,
        "order by account_id, object_level, object_id, attribute, changed_at\n",
        "order by account_id, object_level, object_id, attribute, changed_at desc\n",
        "an object begins with the value before its last change and not its first",
    ),
    Mutant(
        "logs-of-other-accounts",
        _STATES,
        "            first_versions.account_id = logged.account_id\n            and first_versions.object_level",
        "            first_versions.object_level",
        "another client's change is taken back",
    ),
    Mutant(
        "outcomes-are-edits",
        _CHANGES,
        "not in ('effective_status', 'learning_status')",
        "not in ('effective_status')",
        "the end of the learning phase counts as an edit",
    ),
    Mutant(
        "edits-during-the-pull-counted-twice",
        _CHANGES,
        "snapshot_differences.observed_at + interval '1 hour'",
        "snapshot_differences.observed_at",
        "a change of the minutes in which objects were read is there twice",
    ),
    Mutant(
        "own-time-of-change-ignored",
        "models/intermediate/history/int_object_versions.sql",
        "when updated_at > previously_observed_at and coalesce(",
        "when updated_at < previously_observed_at and coalesce(",
        "a change is dated to when it was noticed",
    ),
    Mutant(
        "budget-of-campaign-and-ad-set",
        _BUDGET,
        "where ad_sets.is_holder and not coalesce(campaigns.is_holder, false)",
        "where ad_sets.is_holder",
        "money may be spent twice, it seems",
    ),
    Mutant(
        "lifetime-of-missing-days",
        _BUDGET,
        "when budget_kind = 'lifetime' and is_pulled_since_start",
        "when budget_kind = 'lifetime'",
        "days that were never pulled count as unspent",
    ),
    Mutant(
        "last-day-counted-twice",
        _BUDGET,
        "not_below_zero('written.end_day - written.day')",
        "not_below_zero('written.end_day - written.day + 1')",
        "the rest is divided among one day too many",
    ),
    Mutant(
        "end-at-midnight-is-a-day",
        _BUDGET,
        "(looked_back.ends_at - interval '1 second')",
        "(looked_back.ends_at)",
        "a campaign that ends at midnight seems to have a day more",
    ),
    Mutant(
        "lifetime-spend-of-other-holders",
        _BUDGET,
        "            and written.holder_id = carried.holder_id\n",
        "",
        "in later builds each holder goes on from everybody's spend",
    ),
    Mutant(
        "idle-holder-is-unknown",
        _BUDGET,
        "case when spends.holder_id is null then 0 else spends.spend end as spend",
        "spends.spend",
        "a budget that delivered nothing has no utilisation instead of zero",
    ),
    Mutant(
        "every-month-has-thirty-days",
        _PACING,
        "to_date.days_elapsed / to_date.days_in_month, 2)",
        "to_date.days_elapsed / 30, 2)",
        "in a month of 31 days everyone is behind",
    ),
    Mutant(
        "unfinished-day-in-the-run-rate",
        _PACING,
        "avg(spend) filter (where is_day_complete) over last_seven_days",
        "avg(spend) over last_seven_days",
        "every morning the projection collapses",
    ),
    Mutant(
        "spend-of-last-month-goes-on",
        _PACING,
        "so_far as (partition by account_id, month order by day)",
        "so_far as (partition by account_id order by day)",
        "on the first of the month the budget is overspent",
    ),
    Mutant(
        "pause-is-an-edit",
        "macros/delivery.sql",
        "({{ attribute }} = 'status' and {{ new_value }} = 'ACTIVE')",
        "{{ attribute }} = 'status'",
        "a pause restarts the learning phase",
    ),
    Mutant(
        "sixth-day-after-left-stale",
        "macros/lookback_replace.sql",
        "cross join generate_series({{ -before }}, 6) as later (days)",
        "cross join generate_series({{ -before }}, 5) as later (days)",
        "a re-pull removes the day six days later",
    ),
)
