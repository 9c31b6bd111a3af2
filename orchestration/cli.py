"""`meta-ads`: the entry point, and how errors reach the person at the keyboard.

What belongs here: the list of commands, global options, exit codes. What does not: the commands
(`orchestration.commands`).

Exit codes: 0 done; 1 a part could not be done; 2 something that the user must mend; 130 interrupted.
"""

from __future__ import annotations

import sys

from orchestration.privacy import switch_off_telemetry

switch_off_telemetry()  # Reason: before dbt or anything that imports it.

import typer  # noqa: E402
from rich.console import Console  # noqa: E402

from dashboards.errors import DashboardError  # noqa: E402
from ingestion.errors import GraphError, IngestionError  # noqa: E402
from orchestration.commands import (  # noqa: E402
    alerts,
    clients,
    dashboards,
    data,
    demo,
    quality,
    reports,
    run,
    service,
    site,
    webhooks,
    workers,
)
from orchestration.errors import UserError  # noqa: E402
from orchestration.redaction import redactor  # noqa: E402
from warehouse.errors import WarehouseError  # noqa: E402

app = typer.Typer(
    name="meta-ads",
    help="Meta ads analytics that can be trusted: pull, build, look, decide.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
demo.register(app)
data.register(app)
quality.register(app)
service.register(app)
site.register(app)
webhooks.register(app)
workers.register(app)
run.register(app)
alerts.register(app)
dashboards.register(app)
clients.register(app)
reports.register(app)


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except UserError as problem:
        _tell(problem.message, problem.mend)
        sys.exit(problem.exit_code)
    except GraphError as problem:
        _tell(str(problem).removesuffix(f" {problem.mend}"), problem.mend)
        sys.exit(2)
    except DashboardError as problem:
        _tell(problem.message, problem.mend)
        sys.exit(2)
    except (IngestionError, WarehouseError) as problem:
        _tell(str(problem), "")
        sys.exit(2)
    except (KeyboardInterrupt, InterruptedError):
        _tell("Interrupted. What was committed stays; the same command continues where this one stopped.", "")
        sys.exit(130)


def _tell(message: str, mend: str) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(f"[bold red]Error:[/] {_plain(redactor.redact(message))}", soft_wrap=True)
    if mend:
        console.print(f"  [bold]To mend it:[/] {_plain(redactor.redact(mend))}", soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


if __name__ == "__main__":
    main()
