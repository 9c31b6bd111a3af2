"""Commands of the local site: build, serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from babel import Locale, UnknownLocaleError

from orchestration.commands.shared import out, settings_for_command
from orchestration.demo import DEMO_FOLDER, demo_settings
from orchestration.errors import UserError
from orchestration.platform import open_platform
from orchestration.progress import Display
from orchestration.settings import Settings
from orchestration.site.building import build_site

_Demo = Annotated[bool, typer.Option("--demo", help="The demo's data.")]
_Language = Annotated[str, typer.Option(help="Of numbers and dates: en, de, fr, es, ja, ...")]
_Pictures = Annotated[
    bool, typer.Option("--pictures", help="Let pages ask Meta's servers for thumbnails; else nothing leaves the page.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="The dashboards as pages: files that open from disk, or served.", no_args_is_help=True)
    group.command("build")(build)
    group.command("serve")(serve)
    app.add_typer(group, name="site")


def build(
    target: Annotated[Path | None, typer.Option("--out", help="The site's folder; default: .meta-ads/site.")] = None,
    client: Annotated[
        list[str] | None, typer.Option(help="Only this client of clients.yml, or `all`; may be repeated.")
    ] = None,
    language: _Language = "en",
    pictures: _Pictures = False,
    demo: _Demo = False,
) -> None:
    """Write all dashboards as files, with the usual filters. Exit code 1 if a card has no answer."""
    settings = _settings(demo)
    with open_platform(settings, Display()) as platform:
        built = build_site(platform, target, client or (), language=_known(language), pictures=pictures)
    out.print(f"{built.pages} pages: {built.index.as_uri()}", soft_wrap=True)
    if built.failed:
        raise typer.Exit(1)


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")] = 3002,
    language: _Language = "en",
    pictures: _Pictures = False,
    demo: _Demo = False,
) -> None:
    """Serve all dashboards to this machine; filters ask the database. Ctrl-C ends it."""
    # Reason: the server's parts take half a second to import, and the other commands do not need them.
    from orchestration.site.__main__ import serve as serve_site

    settings = _settings(demo)
    known = _known(language)
    out.print(f"Site:       http://127.0.0.1:{port}" if port else "Site:       see the log for the port")
    serve_site(settings, "127.0.0.1", port, language=known, pictures=pictures)


def _known(language: str) -> str:
    try:
        return str(Locale.parse(language.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        raise UserError(f"--language {language!r} is no language.", "write it like en, de or pt_BR") from None


def _settings(demo: bool) -> Settings:
    base = settings_for_command()
    if not demo:
        return base
    if not (base.meta_ads_home / DEMO_FOLDER / "postgres").is_dir():
        raise UserError("There is no demo yet.", "run `meta-ads demo` first")
    # Reason: the simulator need not run; what it sent is in the warehouse.
    return demo_settings(base, base.meta_graph_url)
