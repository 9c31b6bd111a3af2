"""Building: all dashboards of all spaces as files that open from disk.

What belongs here: files, and that a failed build leaves the last one as it was. What does not: pages
(`dashboards.site.pages`). Each space has a folder that can be given away alone: nothing in it names another space.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dashboards.answerer import Answerer
from dashboards.answering import Answer, Space
from dashboards.errors import DashboardError
from dashboards.formats import Formats
from dashboards.library import Definition
from dashboards.site.assets import FOLDER, Assets
from dashboards.site.cards import Reader
from dashboards.site.pages import BRAND, Shell, card_bodies, dashboard_page, index_page

MARK = ".meta-ads-site"
"""A file by which a folder is known as a site of ours, which may be replaced."""
_PAGES_AT_ONCE = 4


class UnsafeFolder(DashboardError):
    """The folder holds something else than a site that was built before."""


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes:
        index: Its first page.
        pages: How many dashboards of how many spaces.
        failed: Cards without an answer: where, and why.
    """

    index: Path
    pages: int
    failed: tuple[str, ...]


VARIED = "client"
"""The filter whose values have pages of their own, in a space that has several: files cannot ask."""
MOST_VARIANTS = 24


@dataclass(frozen=True)
class _Variant:
    """Where pages are in a built site: those with the usual filters, or those of a client.

    Attributes:
        value: Of the filter `client`; None for the usual pages.
        number: Tells the variants apart in names of files, which no client's name is fit for.
    """

    value: str | None = None
    number: int = 0

    def page(self, dashboard: str) -> str:
        return f"{dashboard}--{self.number}.html" if self.number else f"{dashboard}.html"

    def values(self, definition: Definition) -> dict[str, list[str]]:
        known = self.value is not None and VARIED in definition.dashboard.filters
        return {VARIED: [str(self.value)]} if known else {}


def build(
    answerer: Answerer,
    spaces: Sequence[Space],
    out: Path,
    assets: Assets,
    *,
    language: str = "en",
    pictures: bool = False,
    done: Callable[[str], None] = lambda _: None,
) -> Built:
    """Writes a site with the usual values of all filters.

    Args:
        answerer: Asks.
        spaces: Whose data; a folder each.
        out: The site's folder; what was built there before is replaced at the end, at once.
        assets: From `dashboards.site.assets`.
        language: Of numbers and dates.
        pictures: Whether pages may ask other hosts for images.
        done: Told of each page.

    Raises:
        UnsafeFolder: The folder holds something else.
        DatabaseUnavailable: The database cannot be reached.
        OSError: The folder cannot be written.
    """
    out = out.absolute()
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).exists())):
        raise UnsafeFolder(f"{out} is not empty, and no site that was built before", "choose another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        draft.chmod(0o755)
        built = _write(answerer, spaces, draft, assets, language, pictures, done)
        _replace(out, draft)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Built(out / "index.html", built.pages, built.failed)


def _write(
    answerer: Answerer,
    spaces: Sequence[Space],
    root: Path,
    assets: Assets,
    language: str,
    pictures: bool,
    done: Callable[[str], None],
) -> Built:
    library = answerer.library
    assets.write(root)
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    shell = Shell("", "index.html", assets.paths, True, f"Built {moment} with the usual filters. {BRAND}.")
    work: list[tuple[Space, Definition, _Variant, list[_Variant]]] = []
    for space in spaces:
        _share_assets(root, root / space.name, assets)
        pages = [
            {"title": one.dashboard.title, "about": one.dashboard.about, "href": f"{key}.html"}
            for key, one in library.dashboards.items()
        ]
        text = index_page(shell, space.title, "Dashboards", [{"title": "", "pages": pages}])
        (root / space.name / "index.html").write_text(text, encoding="utf-8")
        variants = _variants(answerer, space)
        # Reason: a dashboard without that filter is the same for all, but its links lead on to the same client.
        work += [(space, definition, one, variants) for definition in library.dashboards.values() for one in variants]

    def write_page(one: tuple[Space, Definition, _Variant, list[_Variant]]) -> list[str]:
        space, definition, variant, others = one
        formats = Formats(library.shared, language, space.zone)
        values = variant.values(definition)
        reader = Reader(library, space, formats, variant, values, pictures, frozenset({VARIED}))
        answers = answerer.answers(space, definition, (*library.context, *definition.cards), values)
        pages = [(other.value or "All", other.page(definition.key)) for other in others]
        bodies = card_bodies(reader, definition, answers)
        text = dashboard_page(shell, reader, definition, bodies, variants={VARIED: pages if len(pages) > 1 else []})
        (root / space.name / variant.page(definition.key)).write_text(text, encoding="utf-8")
        done(f"{space.title}: {definition.dashboard.title}")
        return _failures(space, definition, answers)

    with ThreadPoolExecutor(_PAGES_AT_ONCE, thread_name_prefix="page") as pool:
        failed = [told for several in pool.map(write_page, work) for told in several]
    groups = [
        {
            "title": space.title,
            "pages": [
                {"title": one.dashboard.title, "about": one.dashboard.about, "href": f"{space.name}/{key}.html"}
                for key, one in library.dashboards.items()
            ],
        }
        for space in spaces
    ]
    (root / "index.html").write_text(index_page(shell, "Dashboards", f"Built {moment}", groups), encoding="utf-8")
    (root / MARK).write_text(f"{moment}\n", encoding="utf-8")
    # Reason: what fails for all clients fails on the pages of each.
    return Built(root / "index.html", len(work), tuple(dict.fromkeys(failed)))


def _variants(answerer: Answerer, space: Space) -> list[_Variant]:
    usual = [_Variant()]
    one = answerer.library.shared.filters.get(VARIED)
    values = answerer.choices(space, one) if one is not None else ()
    if not 1 < len(values) <= MOST_VARIANTS:
        return usual
    return [*usual, *(_Variant(value, number) for number, value in enumerate(values, start=1))]


def _failures(space: Space, definition: Definition, answers: dict[str, Answer]) -> list[str]:
    return [
        f"{space.name}/{definition.key}, card {key}: {answer.error}" for key, answer in answers.items() if answer.error
    ]


def _share_assets(root: Path, folder: Path, assets: Assets) -> None:
    (folder / FOLDER).mkdir(parents=True)
    for path in assets.paths.values():
        try:
            os.link(root / path, folder / path)  # Reason: the drawing library is a megabyte, and clients are many.
        except OSError:
            shutil.copyfile(root / path, folder / path)


def _replace(out: Path, draft: Path) -> None:
    """Puts a finished folder in the place of the last one; if that fails, the last one comes back."""
    if not out.exists():
        draft.rename(out)
        return
    old = draft.with_name(f"{draft.name}-old")
    out.rename(old)
    try:
        draft.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
