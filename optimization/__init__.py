"""Decisions from marts: pacing, alerts, budget moves, allocation, audience suggestions.

What belongs here: deciding and proposing. What does not: sending anything to Meta. Reads marts only.
"""
