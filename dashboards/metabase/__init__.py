"""Dashboards in Metabase: from definitions and spaces to what an instance holds, and back again to tell the difference.

What belongs here: Metabase's API and its forms. What does not: what a dashboard is (`dashboards.model`), settings of an
installation (`orchestration`), reading the marts ourselves (`dashboards.queries` and the site).

Facts about the API come from Metabase's OpenAPI document and source, versions 0.61 to 0.63.
"""
