"""Queries: their two forms, template tags, field filters, running the SQL. Independent of the product's engine."""
