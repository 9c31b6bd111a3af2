"""The web application: calls, routes, closed schemas, errors, state, faults, the log. Nothing of Metabase's matter."""
