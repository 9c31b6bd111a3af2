"""The shape of definitions as JSON schemas, which editors check and complete while somebody writes.

What belongs here: from models to files. What does not: rules across entries, which `meta-ads dashboards lint` knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from dashboards.library import DEFINITIONS
from dashboards.model import Dashboard, Shared

SCHEMAS = DEFINITIONS / "schema"
_MODELS: Mapping[str, type[BaseModel]] = {"dashboard": Dashboard, "shared": Shared}


def schemas() -> dict[Path, str]:
    """The text of each schema's file."""
    return {
        SCHEMAS / f"{name}.json": json.dumps(_described(model), indent=2, ensure_ascii=False) + "\n"
        for name, model in _MODELS.items()
    }


def _described(model: type[BaseModel]) -> dict[str, object]:
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return draft | model.model_json_schema(by_alias=True)
