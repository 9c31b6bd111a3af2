"""The site of dashboards in this installation: whose data it shows, building it, serving it.

What belongs here: settings, `clients.yml`, the process. What does not: pages and their paths (`dashboards.site`).
Nothing here imports Dagster: the server is up in a second.
"""
