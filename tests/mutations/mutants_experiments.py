"""Bugs in A/B tests: what is counted, how sure one is, and who has won."""

from __future__ import annotations

from tests.mutations.mutant import Mutant

_ESTIMATES = "models/intermediate/experiments/int_experiment_estimates.sql"
_TESTS = "models/intermediate/experiments/int_experiment_tests.sql"
_RESULT = "models/marts/experiments/mart_ab_test_result.sql"

MUTANTS = (
    Mutant(
        "immature-days-counted",
        _ESTIMATES,
        "            and (days.is_mature or not looks.is_mature)\n",
        "",
        "a verdict rests on days that Meta still restates",
    ),
    Mutant(
        "one-arm-final-is-enough",
        "models/intermediate/experiments/int_experiment_pair_days.sql",
        "arms.is_mature and controls.is_mature as is_mature",
        "arms.is_mature as is_mature",
        "a final arm is compared with a control that is not",
    ),
    Mutant(
        "control-swapped",
        _ESTIMATES,
        "then ln(arm_m_sum / arm_d_sum) - ln(control_m_sum / control_d_sum)",
        "then ln(control_m_sum / control_d_sum) - ln(arm_m_sum / arm_d_sum)",
        "the loser wins",
    ),
    Mutant(
        "first-arm-is-the-control",
        "models/intermediate/experiments/int_experiment_arms.sql",
        "order by is_named_control desc, position asc, arm_id asc",
        "order by position asc, arm_id asc",
        "a control that is not named first is taken for the new idea",
    ),
    Mutant(
        "degrees-of-equal-days",
        _ESTIMATES,
        "least(days_so_far - 1, floor(1 / sum(q * q) - 0.5))",
        "days_so_far - 1",
        "a test that one big day decides looks as sure as an even one",
    ),
    Mutant(
        "normal-instead-of-t",
        _ESTIMATES,
        "critical_values.t * errors.se_of_days",
        "{{ z }} * errors.se_of_days",
        "intervals of short tests are too narrow",
    ),
    Mutant(
        "floor-lost",
        _ESTIMATES,
        "{{ z }} * {{ share_of_counts }} * errors.se_counts\n",
        "0\n",
        "days that happen to agree make a handful of conversions certain",
    ),
    Mutant(
        "spread-without-a-day-more",
        _ESTIMATES,
        "sqrt((days_so_far - 1)::double precision / days_so_far * sum(u * u))",
        "sqrt(sum(u * u))",
        "the error of leaving out one day at a time is that of another formula",
    ),
    Mutant(
        "always-valid-for-another-length",
        _ESTIMATES,
        "(-2 * ln(0.05) + ln(-2 * ln(0.05) + 1))::double precision / planned_days",
        "(-2 * ln(0.05) + ln(-2 * ln(0.05) + 1))::double precision / days_so_far",
        "the mixture changes at each look, which is what it must not do",
    ),
    Mutant(
        "cheaper-is-worse",
        "macros/experiments.sql",
        "case when metric in ('cpa', 'cpm') then -1 else 1 end",
        "case when metric in ('cpm') then -1 else 1 end",
        "a lower CPA is published as a higher one",
    ),
    Mutant(
        "holm-without-maximum",
        _TESTS,
        "order by rank_of_p\n                        rows between unbounded preceding and current row",
        "order by rank_of_p\n                        rows between current row and current row",
        "the second best arm has a smaller adjusted p than the best",
    ),
    Mutant(
        "no-correction-for-many-arms",
        _TESTS,
        "max(least(1, (number_of_p - rank_of_p + 1) * p))",
        "max(least(1, p))",
        "with twenty arms one wins by chance",
    ),
    Mutant(
        "rank-over-all-experiments",
        _TESTS,
        "row_number() over (partition by account_id, experiment_id, is_primary order by p, metric, arm_id)",
        "row_number() over (partition by account_id, is_primary order by p, metric, arm_id)",
        "an experiment's p depends on the account's other experiments",
    ),
    Mutant(
        "minimum-data-ignored",
        _RESULT,
        "when tests.smaller_count < tests.least_count",
        "when tests.smaller_count < 1",
        "three conversions against none make a winner",
    ),
    Mutant(
        "week-not-awaited",
        _RESULT,
        "when tests.paired_days < 7 then",
        "when tests.paired_days < 2 then",
        "a verdict without a weekend",
    ),
    Mutant(
        "looks-not-paid-for",
        _RESULT,
        "when checks.is_complete then tests.p_adjusted else tests.p_always_adjusted end as judged_p",
        "when checks.is_complete then tests.p_adjusted else tests.p_adjusted end as judged_p",
        "who looks every day finds a winner by chance",
    ),
    Mutant(
        "loser-named",
        _RESULT,
        "case when theta > 0 then arm_id else control_arm_id end",
        "case when effect > 0 then arm_id else control_arm_id end",
        "of two CPAs the higher one wins",
    ),
    Mutant(
        "sample-ratio-ignores-the-plan",
        "models/intermediate/experiments/int_experiment_checks.sql",
        "(periods.reach - arms.planned_share * periods.reach_of_all) ^ 2",
        "(periods.reach - 0.5 * periods.reach_of_all) ^ 2",
        "a test planned as 80 to 20 fails its check",
    ),
    Mutant(
        "half-days-of-a-study",
        "models/intermediate/experiments/int_experiments.sql",
        "(studies.ends_locally + interval '1 minute')::date - 1 as until",
        "studies.ends_locally::date as until",
        "a day on which the study ran for an hour counts as one of its days",
    ),
)
