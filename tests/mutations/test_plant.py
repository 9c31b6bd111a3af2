"""The bugs can be planted: their text stands where it is said to, and the tree is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations.__main__ import MUTANTS, PROJECT, page, read_page
from tests.mutations.mutant import Mutant
from tests.mutations.plant import CannotPlant, check, copy_project, planted
from tests.mutations.suite import Verdict


def test_every_bug_can_be_planted_once() -> None:
    assert check(MUTANTS, PROJECT) == []
    assert len(MUTANTS) >= 100


def test_a_bug_stands_in_the_copy_for_the_time_of_a_block(tmp_path: Path) -> None:
    copy = copy_project(PROJECT, tmp_path / "copy")
    mutant = MUTANTS[0]
    sound = (PROJECT / mutant.file).read_text()
    with planted(copy, mutant):
        assert (copy / mutant.file).read_text() == sound.replace(mutant.old, mutant.new) != sound
        assert (PROJECT / mutant.file).read_text() == sound
        with pytest.raises(CannotPlant), planted(copy, mutant):
            pass
    assert (copy / mutant.file).read_text() == sound


def test_a_bug_whose_place_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("select 1, 1")
    bugs = [
        Mutant("gone", "a.sql", "select 2", "x", ""),
        Mutant("twice", "a.sql", "1", "2", ""),
        Mutant("nowhere", "b.sql", "1", "2", ""),
        Mutant("same", "a.sql", "select", "select", ""),
        Mutant("same", "a.sql", "select", "x", ""),
    ]
    assert check(bugs, tmp_path) == [
        "two mutants are named same",
        "gone: the text stands 0 times in a.sql, not once",
        "twice: the text stands 2 times in a.sql, not once",
        "nowhere: there is no b.sql",
        "same: changes nothing",
    ]


def test_the_page_says_who_noticed_and_who_did_not() -> None:
    text = page({MUTANTS[0]: Verdict("unit test", "that_one"), MUTANTS[1]: Verdict(None)})
    assert f"**1 of {len(MUTANTS)} noticed ({1 / len(MUTANTS):.1%}; goal 95%)**: unit test 1, nobody 1; " in text
    assert "unit test: `that_one` |" in text
    assert "**nobody** |" in text
    assert read_page(text) == {MUTANTS[0].name: Verdict("unit test", "that_one")}
