"""Dashboards as dbt's exposures, so that its lineage tells which of them a model feeds.

What belongs here: from definitions to the text of `exposures.yml`. What does not: the models.
"""

from __future__ import annotations

from io import StringIO

from ruamel.yaml import YAML

from dashboards.library import Library
from dashboards.spaces import tables_of

_HEAD = "# Made by `meta-ads dashboards exposures` from dashboards/definitions; a test tells when it is out of date.\n"
_OWNER = {"name": "Meta Ads Analytics", "email": "owner@example.com"}
_WIDTH = 120


def exposures(library: Library) -> str:
    """The text of the file: a dashboard each, with the marts that its cards read."""
    shared = [table for placed in library.context for table in tables_of(placed.sql)]
    listed = []
    for key, definition in library.dashboards.items():
        tables = sorted({*shared, *(table for placed in definition.cards for table in tables_of(placed.sql))})
        listed.append(
            {
                "name": f"dashboard_{key}",
                "label": definition.dashboard.title,
                "type": "dashboard",
                "maturity": "high",
                "description": definition.dashboard.about,
                "depends_on": [f"ref('{table}')" for table in tables],
                "owner": dict(_OWNER),
            }
        )
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump({"version": 2, "exposures": listed}, text)
    return _HEAD + text.getvalue()
