"""Files that are made from the definitions are up to date: dbt's exposures, the editors' schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from dashboards.exposures import exposures
from dashboards.library import DEFINITIONS, load
from dashboards.schemas import schemas

ROOT = Path(__file__).parents[2]
MADE = "run `meta-ads dashboards exposures`"


def test_the_exposures_are_those_of_the_definitions() -> None:
    assert (ROOT / "dbt_project" / "models" / "exposures.yml").read_text(encoding="utf-8") == exposures(load()), MADE


def test_an_exposure_names_the_marts_that_its_cards_read() -> None:
    listed = YAML(typ="safe").load(exposures(load()))["exposures"]
    overview = next(one for one in listed if one["name"] == "dashboard_executive_overview")
    assert "ref('mart_performance_daily__campaign')" in overview["depends_on"]
    models = {path.stem for path in (ROOT / "dbt_project" / "models").rglob("*.sql")}
    assert {name.removeprefix("ref('").removesuffix("')") for one in listed for name in one["depends_on"]} <= models


@pytest.mark.parametrize("path", list(schemas()), ids=lambda path: path.name)
def test_the_schemas_are_those_of_the_models(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == schemas()[path], MADE


@pytest.mark.parametrize("path", sorted(DEFINITIONS.glob("*.yml")), ids=lambda path: path.name)
def test_every_definition_fits_its_schema(path: Path) -> None:
    kind = "shared" if path.stem == "shared" else "dashboard"
    schema = json.loads((DEFINITIONS / "schema" / f"{kind}.json").read_text(encoding="utf-8"))
    jsonschema.validate(YAML(typ="safe").load(path), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**YAML(typ="safe").load(path), "unknown": 1}, schema)
