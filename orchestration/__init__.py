"""Puts the packages together: settings, clients, pipelines, the command line (and Dagster).

What belongs here: order, wiring, what the user sees on a terminal. What does not: SQL text and HTTP.
"""
