"""Meta (or an Ads Manager export) to slices of rows.

What belongs here: the Graph client, pacing, report plans, asynchronous jobs, entities, export files.
What does not: SQL, tables, Dagster. State is kept through the protocols in `ingestion.state`.
"""
