"""Bugs that passed dbt's own tests when they were first planted, and the test that was written for each.

What belongs here: the memory of the page. What does not: judging (`suite`).
"""

from __future__ import annotations

#: Bug -> the test that was added or extended for it.
ANSWERED = {
    "gap-before-ignored": "a_gap_on_either_side_makes_weeks_incomparable",
    "one-final-day-makes-a-final-week": "a_running_week_is_compared_with_as_many_days_of_the_week_before",
    "days-without-a-rate-left-out": "a_week_sums_its_days_and_divides_the_sums",
    "oldest-rate": "money_is_converted_at_the_newest_rate_of_the_last_seven_days",
    "metrics-of-other-accounts": "a_metric_is_of_its_own_account_and_not_computed_if_faulty",
    "outcomes-are-edits": "each_change_is_listed_once_and_the_log_wins",
    "edits-during-the-pull-counted-twice": "each_change_is_listed_once_and_the_log_wins",
    "budget-of-campaign-and-ad-set": "the_holder_is_the_campaign_if_it_has_a_budget_else_the_ad_set",
    "lifetime-spend-of-other-holders": "a_later_build_adds_up_from_what_the_table_holds",
    "every-month-has-thirty-days": "a_month_with_missing_days_is_not_judged",
    "every-period-is-a-month": "periods_keep_their_own_people",
}

#: The same for bugs whose test was written before they were planted, because reading the tests had shown the hole.
FORESEEN = {
    "values-by-window-never-compared": "each_window_adds_up_for_itself",
    "one-arm-final-is-enough": "a_pair_is_final_when_both_of_its_days_are",
    "sample-ratio-ignores-the-plan": "an_uneven_plan_is_held_against_itself",
}
