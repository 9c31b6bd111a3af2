"""Dashboards as YAML, compiled to Metabase, to the local site and to e-mailed reports. Reads marts only."""
