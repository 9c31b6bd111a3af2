"""PostgreSQL and TimescaleDB: connections, embedded server, migrations, storage profiles, slice loader.

What belongs here: every statement that changes `raw` or `ops`. What does not: HTTP, Meta's protocol,
marts (dbt builds them).
"""
