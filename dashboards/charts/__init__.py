"""Charts as Vega-Lite: from a card and its answer to a specification.

What belongs here: what the local site and reports draw alike. What does not: pages, mails and files around them
(`dashboards.site`, `dashboards.reports`), Metabase's charts (`dashboards.metabase.charts`).
"""
