"""Webhooks from Meta: a small server of its own that believes signed notifications only, and stores them once.

What belongs here: the server, its protocol, and what a notification means. What does not: acting on it
(`orchestration.defs.notifications`). Nothing here imports Dagster: the server is up in a second.
"""

PATH = "/webhook"
"""Where Meta calls."""
