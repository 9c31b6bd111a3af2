"""A strict stand-in for Metabase (open-source edition, 0.61 to 0.63) over real HTTP, for tests of what provisions it.

It shares no code with the product, so that a misreading of Metabase's API cannot be made twice and cancel out. What it
is built from, and what it does not know: README.md beside this file.

    core      the web application: calls, routes, closed schemas, errors, state, faults, the log
    access    set-up, sessions, API keys, users, groups, data permissions, settings, cache
    data      connections, sync from the real catalog, databases, tables, fields
    query     queries in both forms, template tags, field filters, running the SQL
    content   collections, cards, dashboards, search, subscriptions
"""
