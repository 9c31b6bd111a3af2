"""A whole report, as it is handed over to be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.answering import Space
from dashboards.library import Library
from dashboards.reports.drawn import png_size
from dashboards.reports.model import Message
from dashboards.reports.pen import one_line
from dashboards.reports.periods import period_of
from dashboards.reports.words import LANGUAGES
from dashboards.reports.write import file_stem, of_one_build, write
from tests.dashboards.fake_marts import EVIL
from tests.dashboards.reports import world
from tests.dashboards.reports.world import ORDER

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def message(space: Space, library: Library) -> Message:
    return write(ORDER, space, library, world.NOW)


def test_a_message_is_complete(message: Message) -> None:
    assert message.subject == "Acme Outdoor – week of Jun 1 – 7: ROAS 2.88 (+6.5%), spend €5,067.38"
    assert message.problems == ()
    assert [(file.name, file.content[:4]) for file in message.files] == [
        ("acme-outdoor-weekly-2026-06-01-2026-06-07.pdf", b"%PDF"),
        ("acme-outdoor-weekly-2026-06-01-2026-06-07.xlsx", b"PK\x03\x04"),
        ("acme-outdoor-weekly-2026-06-01-2026-06-07-csv.zip", b"PK\x03\x04"),
    ]
    assert message.text.startswith("Weekly report – Acme Outdoor\n====")
    for part in (message.text, message.html):
        assert "2.88" in part
        assert "here is your week." in part
    assert EVIL not in message.html
    assert EVIL[:20] in message.text


def test_pictures_are_named_by_the_html(message: Message) -> None:
    assert len(message.images) == 3
    for image in message.images:
        assert f'src="cid:{image.cid}"' in message.html
        assert image.alt.startswith("Chart: ")
        across, down = png_size(image.png)
        assert f'width="{across // 2}" height="{down // 2}"' in message.html
    assert message.html.count("<img") == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_written(language: str, space: Space, library: Library) -> None:
    found = write(replace(ORDER, language=language), space, library, world.NOW)  # type: ignore[arg-type]
    assert found.subject == one_line(found.subject)
    assert f'<html lang="{language}"' in found.html
    assert len(found.html.encode()) <= 100_000


def test_without_attachments_there_are_no_files(space: Space, library: Library) -> None:
    found = write(replace(ORDER, attachments=()), space, library, world.NOW)
    assert found.files == ()
    assert "attached" not in found.html


def test_a_day_and_a_month_are_named_as_such(space: Space, library: Library) -> None:
    day = period_of("yesterday", world.NOW.date() - timedelta(days=1))
    plain = replace(ORDER, attachments=())
    subject = write(replace(plain, period=day, language="de"), space, library, world.NOW).subject
    assert subject.startswith("Acme Outdoor – 08.06.2026: ROAS ")
    month = replace(plain, period=period_of("last_month", world.NOW.date()))
    assert write(month, space, library, world.NOW).subject.startswith("Acme Outdoor – May 2026: ROAS ")


@pytest.mark.parametrize(
    ("builds", "asked"), [([1, 1], 1), ([None, None], 1), ([1, 2, 2], 2), ([1, 2, 3, 4, 5], 3), ([None, 1, 1], 2)]
)
def test_all_numbers_are_of_one_build(builds: list[int | None], asked: int) -> None:
    newest, answers = iter(builds), iter(range(1, 10))
    assert of_one_build(lambda: next(answers), lambda: next(newest)) == asked


def test_a_link_is_an_address_of_the_web(space: Space, library: Library) -> None:
    evil = write(replace(ORDER, attachments=(), link="javascript:alert(1)"), space, library, world.NOW)
    assert "javascript:" not in evil.html + evil.text


@settings(deadline=None)
@given(st.text(), st.text())
def test_names_of_files_are_safe(client: str, name: str) -> None:
    stem = file_stem(replace(ORDER, client=client, name=name))
    assert stem.isascii()
    assert len(stem) < 120
    assert all(one.isalnum() or one == "-" for one in stem)
    assert stem.endswith("-2026-06-01-2026-06-07")


@settings(deadline=None)
@given(st.text())
def test_a_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(one_line(text)) == one_line(text)
    assert not {"\r", "\n", "\x00", "\u202e", "\u2028"} & set(one_line(text))
