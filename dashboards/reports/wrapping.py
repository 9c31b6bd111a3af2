"""Breaking a paragraph into lines of a certain width.

What belongs here: where a line may end, in scripts with spaces and in Japanese, which has none. What does not: what is
written (`dashboards.reports.text`).

Python's `textwrap` counts a Japanese character once, and takes a whole Japanese sentence for one word.
"""

from __future__ import annotations

import re
from itertools import groupby

from wcwidth import clip, width

_CLOSING = "、。，．・：；？！」』）】〕｝〉》”’ー～…％々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.;:!?)]}"
"""Never at the beginning of a line (JIS X 4051, simplified)."""
_OPENING = "「『（【〔｛〈《“‘([{"
"""Never at the end of a line."""
# Reason: other spaces than these keep a number and its unit in one piece.
_TOKEN = re.compile(
    rf"[ \t\n]+|[{re.escape(_OPENING)}]*(?:[\u2e80-\uffef]|[^ \t\n\u2e80-\uffef]+)[{re.escape(_CLOSING)}]*"
    rf"|[{re.escape(_OPENING)}]+"
)


def wrapped(text: str, room: int, first: str = "", other: str = "") -> list[str]:
    """A paragraph as lines; none for an empty one.

    Args:
        text: One paragraph.
        room: Width of a line, in characters of which a Japanese one counts twice.
        first: What the first line begins with.
        other: What all others begin with.
    """
    lines: list[str] = []
    line, start = "", first
    for is_space, tokens in groupby(_TOKEN.findall(text), lambda token: not token.strip(" \t\n")):
        for token in [" "] if is_space else list(tokens):
            while width(start + line + token.rstrip()) > room and (line.strip() or width(start + token) > room):
                if not line.strip():
                    # Reason: a word longer than a line is broken where the line ends.
                    part = clip(token, 0, room - width(start)).rstrip()
                    line, token = part, token[len(part) :]  # noqa: PLW2901
                lines.append((start + line).rstrip())
                line, start = "", other
            line += token if line or not is_space else ""
    if line.strip():
        lines.append((start + line).rstrip())
    return lines
