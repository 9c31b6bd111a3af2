"""Templates of HTML, for pages and for mails.

What belongs here: how templates are read, the same for both: everything escaped, nothing undefined passed over in
silence. What does not: the templates, and what each adds (`dashboards.site.pages`, `dashboards.reports.html`).
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def environment_of(folder: Path) -> Environment:
    """An environment of a folder's templates."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
