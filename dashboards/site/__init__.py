"""The dashboards as pages: built to files that open from disk, or served with filters that work.

What belongs here: charts, pages, building, the server's paths. What does not: running SQL (`dashboards.answerer`),
settings and processes (`orchestration`). Nothing here asks another host for anything.
"""
