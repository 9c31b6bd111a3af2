"""Reports by e-mail: when one is due, whether it may go out, and that it goes out once.

What belongs here: everything around a report but its content, which `dashboards.reports` writes. What does not: SQL
(`warehouse.ops.report_deliveries`, `dashboards.reports.readiness`), SMTP (`orchestration.mail`), Dagster
(`orchestration.defs.reports`).
"""
