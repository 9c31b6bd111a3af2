"""Alerts: what is wrong, found in the warehouse and in failed runs, told once for each cause.

What belongs here: causes (`causes`, `failures`), when they are told (`policy`), with which others (`grouping`), in
which words (`render`), to whom (`channels`), and the order of it all (`dispatch`, `evaluate`). What does not: how
causes are kept (`warehouse.ops.alerts`), when somebody looks (`orchestration.defs.alerts`). Free of Dagster.
"""
