"""A report as files, to be looked at before anybody gets it.

What belongs here: writing them. What does not: the report (`dashboards.reports`), whether it would be sent.
"""

from __future__ import annotations

import base64
from pathlib import Path

from dashboards.reports.model import Message
from orchestration.errors import ConfigurationError

HTML, TEXT = "report.html", "report.txt"


def standalone_html(message: Message) -> str:
    """The HTML part with its images in it, so that it opens from disk."""
    html = message.html
    for image in message.images:
        data = base64.b64encode(image.png).decode("ascii")
        for quote in ('"', "'"):
            html = html.replace(f"{quote}cid:{image.cid}{quote}", f"{quote}data:image/png;base64,{data}{quote}")
    return html


def write_preview(message: Message, folder: Path) -> list[Path]:
    """Writes both parts and the attachments; what the folder held under these names is overwritten.

    Returns:
        The files, the HTML part first.

    Raises:
        ConfigurationError: The folder cannot be written.
    """
    contents = {HTML: standalone_html(message).encode(), TEXT: message.text.encode()}
    # Reason: a file's name holds what a client is called, and must not lead out of the folder.
    contents |= {Path(file.name).name: file.content for file in message.files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}.", "choose another --out") from None
    return [folder / name for name in contents]
