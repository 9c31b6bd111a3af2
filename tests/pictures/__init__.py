"""Pictures for the docs, taken of the running platform: `python -m tests.pictures`. No tests."""
