"""Decisions from marts: pacing, alerts, budget moves, allocation, audience suggestions. Reads marts only; sends nothing to Meta."""
