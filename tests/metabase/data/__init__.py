"""Databases: connections, sync from the real catalog, tables, fields and their values."""
