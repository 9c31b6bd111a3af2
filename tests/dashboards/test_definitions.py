"""The dashboards that there are: without a mistake, and described to editors as they are."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from dashboards.answers import Catalog
from dashboards.library import DEFINITIONS, load
from dashboards.lint import lint
from dashboards.schemas import schemas
from orchestration.transform import parse_project

MAKE = "to make it: `python -m dashboards.schemas`"


def test_they_have_no_mistake(tmp_path: Path) -> None:
    library = load()
    assert len(library.dashboards) == 10
    assert lint(library, Catalog.of_manifest(parse_project(tmp_path / "target"))) == ()


@pytest.mark.parametrize("path", list(schemas()), ids=lambda path: path.name)
def test_the_schemas_are_those_of_the_models(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == schemas()[path], MAKE


@pytest.mark.parametrize("path", sorted(DEFINITIONS.glob("*.yml")), ids=lambda path: path.name)
def test_every_definition_fits_its_schema(path: Path) -> None:
    kind = "shared" if path.stem == "shared" else "dashboard"
    schema = json.loads((DEFINITIONS / "schema" / f"{kind}.json").read_text(encoding="utf-8"))
    values = YAML(typ="safe").load(path)
    jsonschema.validate(values, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**values, "unknown": 1}, schema)
