"""`python -m tests.metabase`: starts the stand-in. Nothing but the entry point belongs here."""

from tests.metabase.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
