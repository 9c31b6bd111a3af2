"""Experiments, custom metrics and exchange rates in clients.yml: every message, and that the rest always works."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.exports import derive_id
from orchestration.clients import ClientsFile, ClientsFileError, load_clients, parse_clients
from orchestration.clients.vocabulary import EXPERIMENT_METRICS, FORMATS, MEASURES, RESERVED
from orchestration.demo import write_demo_clients

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)
ARMS = "arms: [{name: Old, campaigns: [1]}, {name: New, campaigns: [2]}]"
SOUND = f"{{id: sound, since: 2026-10-01, {ARMS}}}"
FILE = """\
version: 1
clients:
  - id: acme
    name: Acme
    accounts: [{{id: act_1, name: One}}{more}]
    experiments: [{sound}]
  - id: other
    name: Other
    accounts: [{{id: act_9, name: Elsewhere}}]
"""


def parse(text: str) -> ClientsFile:
    return parse_clients(text, Path("clients.yml"), TODAY)


def with_experiment(entry: str, more: str = "") -> ClientsFile:
    text = FILE.format(sound=SOUND, more=more)
    return parse(text.replace(f"[{SOUND}]", f"\n      - {SOUND}\n      - {entry}"))


def with_metric(entry: str) -> ClientsFile:
    text = FILE.format(sound=SOUND, more="")
    sound = "{name: sound, numerator: spend, denominator: leads}"
    return parse(text.replace("  - id: other", f"    custom_metrics:\n      - {sound}\n      - {entry}\n  - id: other"))


def of(clients: ClientsFile, experiment_id: str) -> dict[str, Any]:
    (row,) = [row for row in clients.declarations.experiments if row["experiment_id"] == experiment_id]
    return row


BAD_EXPERIMENTS = [
    # An experiment as it stands on line 8, what is said, what helps.
    ("since: 2026-10-01, arms: [{name: A, campaigns: [1]}]", "has one arm", "list two at least"),
    ("since: 2026-10-01, arms: []", "has no arm", "list two at least"),
    ("since: 2026-10-01", "has neither `arms` nor `study`", "name an ad study"),
    (f"study: 5, {ARMS}", "has both `study` and `arms`", "remove one"),
    ("study: 5, since: 2026-10-01", "has both `study` and `since`", "has its dates at Meta"),
    ("study: 5, until: 2026-10-01", "has both `study` and `until`", "has its dates at Meta"),
    (ARMS, "has no `since`", "add the first day"),
    (f"since: 2026-10-28, until: 2026-10-01, {ARMS}", "ends on 2026-10-01, before it begins on 2026-10-28", "swap"),
    (f"since: 2026-11-23, {ARMS}", "begins on 2026-11-23, which lies in the future", "correct the year"),
    (f"since: 2026-02-30, {ARMS}", "since '2026-02-30' is no day", "write it like 2026-10-01"),
    (f"since: 2026-10-01, until: soon, {ARMS}", "until 'soon' is no day", "write it like 2026-10-01"),
    (f"since: 2026-10-01, metric: cps, {ARMS}", "`cps` is no metric of experiments", "did you mean"),
    (f"since: 2026-10-01, metric: installs, {ARMS}", "`installs` is no metric", "write one of ctr, cvr, cpa"),
    (f"since: 2026-10-01, minimum_effect: 0, {ARMS}", "minimum_effect must be above 0", "such as 10 %"),
    (f"since: 2026-10-01, minimum_effect: -5 %, {ARMS}", "minimum_effect must be above 0", "such as 10 %"),
    (f"since: 2026-10-01, minimum_effect: 10, {ARMS}", "minimum_effect is 1000 %", "did you mean 10 %?"),
    (f"since: 2026-10-01, minimum_effect: 100 %, {ARMS}", "minimum_effect is 100 %", "write 10 % or 0.10"),
    (f"since: 2026-10-01, minimum_effect: a lot, {ARMS}", "minimum_effect 'a lot' is no share", "write 10 % or 0.10"),
    (f"since: 2026-10-01, minimum_effect: .inf, {ARMS}", "minimum_effect 'inf' is no share", "write 10 % or 0.10"),
    (f"since: 2026-10-01, account: act_5, {ARMS}", "client acme has no account act_5", "write one of One"),
    (f"since: 2026-10-01, account: act_9, {ARMS}", "account act_9 belongs to client other, not to acme", "One"),
    (f"since: 2026-10-01, account: On, {ARMS}", "client acme has no account 'On'", "did you mean One?"),
    ("study: 5, account: act_9", "account act_9 belongs to client other", "write one of One"),
    (
        "since: 2026-10-01, arms: [{name: A, campaigns: [1]}, {name: B, campaigns: [2], account: act_5}]",
        "arm 'B': client acme has no account act_5",
        "write one of One",
    ),
    (
        "since: 2026-10-01, arms: [{name: A, campaigns: [1, x]}, {name: B, campaigns: [2, x]}]",
        "arms overlap: campaign x is in 'A' and in 'B'",
        "leave it in one",
    ),
    (
        "since: 2026-10-01, arms: [{name: A, ad_sets: [11]}, {name: B, ad_sets: ['11']}]",
        "arms overlap: ad set 11 is in 'A' and in 'B'",
        "leave it in one",
    ),
    (
        "since: 2026-10-01, arms: [{name: A, ads: [11, 11]}, {name: B, ads: [12]}]",
        "ad 11 is listed twice in arm 'A'",
        "remove one",
    ),
    (
        'since: 2026-10-01, arms: [{name: A, ads: ["Caf\\u00e9"]}, {name: B, ads: ["Cafe\\u0301"]}]',
        "arms overlap: ad Caf",
        "leave it in one",
    ),
    (
        "since: 2026-10-01, arms: [{name: A, campaigns: [1]}, {name: A, campaigns: [2]}]",
        "has two arms named 'A'",
        "rename",
    ),
    (
        "since: 2026-10-01, arms: [{name: A, campaigns: [1], control: true}, {name: B, ads: [2], control: true}]",
        "has 2 controls: 'A' and 'B'",
        "leave `control: true` on one arm",
    ),
    (
        "since: 2026-10-01, arms: [{name: A, campaigns: [1], ads: [2]}, {name: B, ads: [3]}]",
        "arm 'A' mixes campaigns and ads",
        "one level",
    ),
    (
        "since: 2026-10-01, arms: [{name: A}, {name: B, ads: [3]}]",
        "arm 'A' lists no objects",
        "one level",
    ),
]


@pytest.mark.parametrize(("entry", "what", "mend"), BAD_EXPERIMENTS)
def test_a_bad_experiment_is_told_once_and_the_rest_works(entry: str, what: str, mend: str) -> None:
    clients = with_experiment(f"{{id: bad, {entry}}}")
    (warning,) = clients.warnings
    place, _, said = warning.partition(" ")
    assert place.startswith("clients.yml:8:")
    assert said.startswith(f"experiment bad: {what}")
    assert mend in warning.partition("\n  -> ")[2]
    row = of(clients, "bad")
    assert what in row["problem"]
    assert mend in row["problem"]
    assert row["place"] == "clients.yml:8"
    assert row["account_id"] == 1
    assert of(clients, "sound")["problem"] is None
    assert {arm["experiment_id"] for arm in clients.declarations.arms} == {"sound"}


def test_two_accounts_need_a_name_and_a_wrong_one_is_told_once() -> None:
    two = ", {id: act_2}"
    missing = with_experiment(f"{{id: bad, since: 2026-10-01, {ARMS}}}", two)
    assert [w.partition(" ")[2].partition("\n")[0] for w in missing.warnings] == [
        "experiment sound: arm 'Old': client acme has 2 accounts, and `account` does not say which",
        "experiment bad: arm 'Old': client acme has 2 accounts, and `account` does not say which",
    ]
    wrong = with_experiment(f"{{id: bad, since: 2026-10-01, account: act_3, {ARMS}}}", two)
    assert sum("experiment bad" in warning for warning in wrong.warnings) == 1
    study = with_experiment("{id: bad, study: 77}", two)
    assert "does not say which" in (of(study, "bad")["problem"] or "")
    same = with_experiment(f"{{id: bad, since: 2026-10-01, account: One, {ARMS}}}", ", {id: act_2, name: One}")
    assert "has 2 accounts named 'One'" in (of(same, "bad")["problem"] or "")


def test_an_id_declared_twice_evaluates_neither() -> None:
    clients = with_experiment(SOUND)
    (warning,) = clients.warnings
    assert warning.startswith("clients.yml:8:14: experiment sound: the id is declared on lines 7 and 8")
    row = of(clients, "sound")
    assert row["problem"].startswith("the id is declared on lines 7 and 8, so none of them is evaluated")
    assert clients.declarations.arms == []


def test_several_mistakes_of_one_entry_are_all_in_its_problem() -> None:
    clients = with_experiment("{id: bad, metric: cps, since: 2026-10-02, until: 2026-10-01, arms: []}")
    assert len(clients.warnings) == 3
    assert (of(clients, "bad")["problem"] or "").count("; ") == 2


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("{since: 2026-10-01}", "`id` is missing"),
        ("{id: No Slug}", "'No Slug' is no id"),
        ("{id: bad, arms: 3}", "arms is 3"),
        ("{id: bad, arms: [{campaigns: [1]}]}", "`name` is missing"),
        ("{id: bad, arms: [{name: A, campagnes: [1]}]}", "unknown key `campagnes`"),
        ("{id: bad, arms: [{name: A, campaigns: [1.5]}]}", "1.5 is neither an id nor a name"),
        ("{id: bad, arms: [{name: A, campaigns: [{id: x}]}]}", "is neither an id nor a name"),
        ("{id: bad, arms: [{name: A, account: [1]}]}", "[1] is no account"),
        ("{id: bad, study: abc}", "'abc' is no ad study"),
        ("{id: bad, minimum_effect: [1]}", "[1] is no share"),
        ("{id: bad, since: [1]}", "[1] is no day"),
        ("{id: bad, since: 2026-10-01 10:00:00}", "is no day"),
    ],
)
def test_what_cannot_be_read_at_all_refuses_the_file(entry: str, what: str) -> None:
    with pytest.raises(ClientsFileError) as caught:
        with_experiment(entry)
    (problem,) = caught.value.problems
    assert problem.line == 8
    assert what in problem.what


def test_a_key_of_an_arm_is_suggested() -> None:
    with pytest.raises(ClientsFileError, match="did you mean campaigns"):
        with_experiment("{id: bad, arms: [{name: A, campagnes: [1]}]}")


def test_a_sound_experiment_becomes_rows() -> None:
    clients = with_experiment(
        "{id: full, name: Full, account: One, metric: roas, minimum_effect: 7.5 %, since: 2026-10-01,"
        ' until: \'2026-10-28\', hypothesis: why, arms: [{name: Neu, ad_sets: [12, "A b", {name: "123"}]},'
        " {name: neu!, ads: [-7], control: true}, {name: 新しい, ads: [{id: 8}]}]}"
    )
    assert clients.warnings == ()
    row = of(clients, "full")
    assert row == {
        "account_id": 1,
        "experiment_id": "full",
        "client_id": "acme",
        "name": "Full",
        "study_id": None,
        "metric": "roas",
        "minimum_effect": Decimal("0.075"),
        "since": date(2026, 10, 1),
        "until": date(2026, 10, 28),
        "hypothesis": "why",
        "place": "clients.yml:8",
        "problem": None,
    }
    arms = [arm for arm in clients.declarations.arms if arm["experiment_id"] == "full"]
    assert [(arm["arm_id"], arm["is_control"], arm["level"], arm["position"]) for arm in arms] == [
        ("neu", False, "ad_set", 1),
        ("neu-2", True, "ad", 2),
        ("arm-3", False, "ad", 3),
    ]
    assert arms[0]["objects"] == [{"id": "12"}, {"name": "A b"}, {"name": "123"}]
    assert arms[1]["objects"] == [{"id": "-7"}]


def test_the_account_of_an_experiment_is_that_of_its_control() -> None:
    arms = "[{name: A, campaigns: [1], account: One}, {name: B, campaigns: [1], account: act_2, control: true}]"
    clients = with_experiment(f"{{id: wide, since: 2026-10-01, arms: {arms}}}", ", {id: act_2}")
    assert of(clients, "wide")["problem"] is None, "equal ids in two accounts are two objects"
    assert of(clients, "wide")["account_id"] == 2
    assert {arm["arm_account_id"] for arm in clients.declarations.arms if arm["experiment_id"] == "wide"} == {1, 2}


def test_an_account_of_files_is_declared_by_the_name_it_was_imported_under() -> None:
    clients = parse(
        "version: 1\nclients:\n  - id: a\n    name: A\n    accounts: [{imported: Imported USD}]\n"
        f"    experiments: [{{id: x, since: 2019-08-01, until: 2019-08-30, {ARMS}}}]\n"
    )
    account_id = derive_id("account", 0, 0, "Imported USD")
    (row,) = clients.client_account_rows()
    assert (row["account_id"], row["account_name"]) == (account_id, "Imported USD")
    assert of(clients, "x")["account_id"] == account_id
    assert clients.find(account_id) is not None
    assert clients.account(account_id).is_imported
    with pytest.raises(ClientsFileError, match="both `id` and `imported`"):
        parse("version: 1\nclients: [{id: a, name: A, accounts: [{id: 1, imported: X}]}]")
    with pytest.raises(ClientsFileError, match="`id` is missing"):
        parse("version: 1\nclients: [{id: a, name: A, accounts: [{name: X}]}]")


BAD_METRICS = [
    ("name: bad, numerator: spnd, denominator: leads", "numerator `spnd` is no measure", "did you mean spend?"),
    ("name: bad, numerator: spend, denominator: reach", "denominator `reach` is no measure", "write one of spend"),
    ("name: bad, numerator: spend, denominator: add_to_cart", "denominator `add_to_cart`", "mean adds_to_cart?"),
    ("name: bad, numerator: leads, denominator: leads", "numerator and denominator are both `leads`", "something else"),
    ("name: roas, numerator: spend, denominator: leads", "the name means something else", "such as my_roas"),
    ("name: bad, numerator: spend, denominator: leads, multiplier: 0", "multiplier is 0", "write 1, or 1000"),
    ("name: bad, numerator: spend, denominator: leads, format: procent", "`procent` is no format", "mean percent?"),
    ("name: bad, numerator: spend, denominator: leads, format: x", "`x` is no format", "write one of number"),
]


@pytest.mark.parametrize(("entry", "what", "mend"), BAD_METRICS)
def test_a_bad_metric_is_told_once_and_the_rest_works(entry: str, what: str, mend: str) -> None:
    clients = with_metric(f"{{{entry}}}")
    (warning,) = clients.warnings
    name = "roas" if "name: roas" in entry else "bad"
    assert warning.startswith("clients.yml:9:")
    assert f"custom metric {name}: {what}" in warning
    assert mend in warning.partition("\n  -> ")[2]
    rows = {row["metric"]: row for row in clients.declarations.custom_metrics}
    assert what in rows[name]["problem"]
    assert rows[name]["format"] in FORMATS
    assert rows[name]["multiplier"] > 0
    assert rows["sound"]["problem"] is None


def test_a_metric_declared_twice_is_not_computed_and_each_account_has_a_row() -> None:
    clients = with_metric("{name: sound, numerator: spend, denominator: purchases}")
    (row,) = clients.declarations.custom_metrics
    assert row["problem"].startswith("the name is declared on lines 8 and 9")
    both = parse(
        "version: 1\nclients: [{id: a, name: A, accounts: [{id: 1}, {id: 2}], custom_metrics:"
        " [{name: cost_per_cart, numerator: spend, denominator: adds_to_cart, multiplier: 0.5, format: money,"
        " lower_is_better: true}]}]"
    )
    rows = both.declarations.custom_metrics
    assert [row["account_id"] for row in rows] == [1, 2]
    assert rows[0] | {"account_id": 2} == rows[1]
    assert (rows[0]["label"], rows[0]["multiplier"], rows[0]["is_lower_better"]) == (
        "Cost per cart",
        Decimal("0.5"),
        True,
    )


def test_the_vocabulary_holds_together() -> None:
    assert len(set(MEASURES)) == len(MEASURES)
    assert set(EXPERIMENT_METRICS) <= set(RESERVED)
    assert not {"reach", "frequency"} & set(MEASURES), "people are never summed"


CUSTOM = ROOT / "dbt_project" / "models" / "marts" / "custom"


@pytest.mark.skipif(not CUSTOM.exists(), reason="the models of custom metrics are not in this tree")
@pytest.mark.parametrize("model", ["mart_custom_metric", "mart_custom_metric_daily"])
def test_the_marts_compute_exactly_this_vocabulary(model: str) -> None:
    text = (CUSTOM / f"{model}.sql").read_text()
    listed = re.search(r"\n +values\n((?: +\('.*\),?\n)+)", text)
    assert listed, "the list of measures is no longer written as VALUES"
    assert re.findall(r"\('(\w+)'", listed[1]) == list(MEASURES)


def test_the_example_and_the_demo_are_sound(tmp_path: Path) -> None:
    for path, experiments in ((ROOT / "clients.example.yml", 2), (write_demo_clients(tmp_path), 3)):
        clients = load_clients(path)
        assert clients.warnings == ()
        declared = clients.declarations
        assert len(declared.experiments) == experiments
        assert {row["problem"] for row in [*declared.experiments, *declared.custom_metrics]} == {None}
        assert declared.exchange_rates
    assert "$" not in (tmp_path / "clients.yml").read_text().partition("version: 1")[2]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1", "2026-10-01"])
OBJECTS = st.lists(SCALARS | st.dictionaries(st.sampled_from(["id", "name"]), SCALARS, max_size=2), max_size=3)
ANY_ARM = st.fixed_dictionaries(
    {}, optional={"name": SCALARS, "account": SCALARS, "campaigns": OBJECTS, "ads": OBJECTS, "control": SCALARS}
)
ANY_EXPERIMENT = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b"]) | SCALARS},
    optional={
        **dict.fromkeys(("study", "metric", "minimum_effect", "since", "until", "account", "hypothesis"), SCALARS),
        "arms": st.lists(ANY_ARM, max_size=3) | SCALARS,
    },
)
ANY_METRIC = st.fixed_dictionaries(
    {"name": st.sampled_from(["m", "roas"]) | SCALARS, "numerator": SCALARS, "denominator": SCALARS},
    optional=dict.fromkeys(("label", "multiplier", "format", "lower_is_better"), SCALARS),
)


def document(experiments: list[Any], metrics: list[Any], rates: Any) -> str:
    client = {"id": "acme", "name": "Acme", "accounts": [{"id": 1}, {"id": 2, "name": "1"}]}
    content = {"version": 1, "clients": [client | {"experiments": experiments, "custom_metrics": metrics}]}
    return json.dumps(content | ({} if rates is None else {"exchange_rates": rates}))


@given(
    st.lists(ANY_EXPERIMENT, max_size=3), st.lists(ANY_METRIC, max_size=2), st.none() | st.lists(SCALARS, max_size=2)
)
def test_whatever_is_declared_is_refused_with_lines_or_becomes_rows_that_the_tables_take(
    experiments: list[Any], metrics: list[Any], rates: Any
) -> None:
    refused = None
    try:
        clients = parse(document(experiments, metrics, rates))
    except ClientsFileError as error:
        refused = error.problems
    if refused is not None:
        assert [problem for problem in refused if problem.line >= 1] == list(refused) != []
        return
    declared = clients.declarations
    keys = [(row["account_id"], row["experiment_id"]) for row in declared.experiments]
    assert len({key[1] for key in keys}) == len(keys)
    for row in declared.experiments:
        assert row["metric"] in EXPERIMENT_METRICS
        assert 0 < row["minimum_effect"] < 1
        arms = [arm for arm in declared.arms if arm["experiment_id"] == row["experiment_id"]]
        assert (len(arms) >= 2) == (row["problem"] is None and row["study_id"] is None)
        assert sum(arm["is_control"] for arm in arms) == (1 if arms else 0)
        assert len({arm["arm_id"] for arm in arms}) == len(arms)
        assert {arm["account_id"] for arm in arms} <= {row["account_id"]}
    assert {arm["experiment_id"] for arm in declared.arms} <= {key[1] for key in keys}
    metric_keys = [(row["account_id"], row["metric"]) for row in declared.custom_metrics]
    assert len(set(metric_keys)) == len(metric_keys)
    sound = [row for row in declared.custom_metrics if row["problem"] is None]
    assert all({row["numerator"], row["denominator"]} <= set(MEASURES) for row in sound)
    told = {warning.partition(" ")[2].partition(":")[0] for warning in clients.warnings}
    bad = [f"experiment {row['experiment_id']}" for row in declared.experiments if row["problem"]]
    bad += [f"custom metric {row['metric']}" for row in declared.custom_metrics if row["problem"]]
    assert set(bad) <= told


SOUND_EXPERIMENT = st.builds(
    lambda effect, start, length, objects, control: {
        "id": "x",
        "account": 1,
        "metric": "cvr",
        "minimum_effect": f"{effect} %",
        "since": start.isoformat(),
        "until": date.fromordinal(start.toordinal() + length).isoformat(),
        "arms": [
            {"name": f"Arm {number}", "campaigns": [name], "control": number == control % len(objects)}
            for number, name in enumerate(objects)
        ],
    },
    st.integers(1, 99),
    st.dates(date(2020, 1, 1), date(2026, 11, 21)),
    st.integers(0, 400),
    st.lists(
        st.integers(1, 2**62) | st.text("abc |é", min_size=1).map(str.strip).filter(bool),
        min_size=2,
        max_size=5,
        unique=True,
    ),
    st.integers(0, 4),
)


@given(SOUND_EXPERIMENT)
def test_a_sound_declaration_has_no_finding_and_loses_nothing(experiment: dict[str, Any]) -> None:
    clients = parse(document([experiment], [], None))
    assert clients.warnings == ()
    (row,) = clients.declarations.experiments
    assert f"{row['minimum_effect'] * 100:.0f} %" == experiment["minimum_effect"]
    assert (row["since"].isoformat(), row["until"].isoformat()) == (experiment["since"], experiment["until"])
    arms = clients.declarations.arms
    assert [next(iter(arm["objects"][0].values())) for arm in arms] == [
        str(arm["campaigns"][0]) for arm in experiment["arms"]
    ]
    assert [arm["is_control"] for arm in arms] == [arm["control"] for arm in experiment["arms"]]
