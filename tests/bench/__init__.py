"""Benchmarks: speed, size and calls, against the goals of the project. `python -m tests.bench --help`.

What belongs here: measuring the platform's real road against the simulator, and saying how it was measured. What does
not: tests. Nothing here fails for being slow; a goal that is missed is marked in the table.
"""
