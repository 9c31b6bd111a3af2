"""`python -m simulator`: starts the stand-in. Nothing but the entry point belongs here."""

from simulator.server.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
