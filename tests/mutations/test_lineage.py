"""A bug in a macro reaches whoever uses the macro, also through another one; and every bug has test modules to face."""

from __future__ import annotations

from typing import Any

from tests.mutations.__main__ import MUTANTS, PROJECT
from tests.mutations.first_survivors import ANSWERED, FORESEEN
from tests.mutations.lineage import Reach, modules, reach
from tests.mutations.mutant import Mutant
from tests.mutations.suite import ROOT


def macro(file: str, text: str, *used: str) -> dict[str, Any]:
    return {"original_file_path": file, "macro_sql": text, "depends_on": {"macros": list(used)}}


def node(kind: str, name: str, *used: str) -> dict[str, Any]:
    return {"resource_type": kind, "name": name, "depends_on": {"macros": list(used)}}


MANIFEST = {
    "macros": {
        "inner": macro("macros/a.sql", "select 1"),
        "outer": macro("macros/b.sql", "uses {{ inner() }}", "inner"),
        "beside": macro("macros/a.sql", "select 2"),
    },
    "nodes": {
        "direct": node("model", "direct", "inner"),
        "indirect": node("snapshot", "indirect", "outer"),
        "other": node("model", "other", "beside"),
        "test": node("test", "a_test", "inner"),
    },
}


def test_what_is_told_of_first_survivors_is_about_bugs_and_tests_that_exist() -> None:
    written = "".join(path.read_text() for path in PROJECT.rglob("*__unit_tests.yml"))
    for bug, test in (ANSWERED | FORESEEN).items():
        assert bug in {mutant.name for mutant in MUTANTS}
        assert f"- name: {test}\n" in written


def at(file: str, old: str = "select 1") -> Mutant:
    return Mutant("a", file, old, "x", "")


def test_a_bug_in_a_macro_reaches_its_users_and_theirs() -> None:
    assert reach(at("macros/a.sql"), MANIFEST) == Reach(models=("direct", "indirect"))
    assert reach(at("macros/a.sql", "select 2"), MANIFEST) == Reach(models=("other",))
    assert reach(at("macros/b.sql"), MANIFEST) == Reach()


def test_a_bug_in_a_model_or_a_function_reaches_that() -> None:
    assert reach(at("models/marts/core/fct_ad_day.sql"), MANIFEST) == Reach(models=("fct_ad_day",))
    assert reach(at("functions/safe_div.sql"), MANIFEST) == Reach(functions=("safe_div",))


def test_every_bug_faces_test_modules_that_exist() -> None:
    for mutant in MUTANTS:
        assert modules(mutant), mutant.name
        assert all((ROOT / module).is_file() for module in modules(mutant)), mutant.name
    assert modules(at("models/marts/experiments/mart_ab_test.sql")) == ["tests/dbt_project/test_experiments.py"]
    assert modules(at("macros/unheard_of.sql"))[0] == "tests/dbt_project/test_build.py"
