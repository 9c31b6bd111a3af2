"""Bugs that nobody noticed when they were first planted, and the test that was written for each.

What belongs here: the memory of the page. What does not: judging (`suite`).
"""

from __future__ import annotations

#: Bug -> the test that was added or extended for it.
ANSWERED = {
    "gap-before-ignored": "a_gap_on_either_side_makes_weeks_incomparable",
    "one-final-day-makes-a-final-week": "a_running_week_is_compared_with_as_many_days_of_the_week_before",
    "values-by-window-never-compared": "each_window_adds_up_for_itself",
    "one-arm-final-is-enough": "a_pair_is_final_when_both_of_its_days_are",
    "sample-ratio-ignores-the-plan": "an_uneven_plan_is_held_against_itself",
}
