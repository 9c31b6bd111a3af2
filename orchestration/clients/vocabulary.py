"""The words that declarations may use: measures, metrics of experiments, formats.

What belongs here: names, each the name of a column of the marts. What does not: formulas (dbt has them).
"""

from __future__ import annotations

MEASURES = (
    "spend",
    "impressions",
    "link_clicks",
    "clicks_all",
    "outbound_clicks",
    "landing_page_views",
    "video_plays",
    "video_thruplays",
    "content_views",
    "adds_to_cart",
    "checkouts_initiated",
    "payment_infos_added",
    "purchases",
    "leads",
    "conversions",
    "conversion_value",
)
"""What may be summed, and so may be a numerator or a denominator. Reach may not: people are counted twice."""

EXPERIMENT_METRICS = ("ctr", "cvr", "cpa", "roas", "cpm")
"""What an experiment can be decided by."""

FORMATS = ("number", "percent", "money", "ratio")
"""How a custom metric is shown; `money` is in the account's currency."""

RESERVED = (
    *MEASURES,
    *EXPERIMENT_METRICS,
    *("reach", "frequency", "ctr_all", "cpc", "cpc_all", "aov", "conversion_rate"),
    *("quality_ranking", "engagement_rate_ranking", "conversion_rate_ranking", "budget_utilisation"),
)
"""Names that mean something already; a custom metric must not mean something else by them."""
