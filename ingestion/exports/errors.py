"""What can go wrong when an Ads Manager export is read.

What belongs here: the exceptions of this folder, with what a person needs to mend the cause. What does not: problems
of single rows, which never stop a file and are reported as `RejectedRow` in `ingestion.exports.model`.
"""

from __future__ import annotations

from pathlib import Path


class ExportError(Exception):
    """Root of the errors of `ingestion.exports`."""


class ExportRefused(ExportError):
    """A file that is not imported at all. Terminal: reading it again changes nothing.

    Attributes:
        path: The file.
        reason: What is wrong, in one sentence, for a person without programming knowledge.
        mend: What to do about it: how to export again, or which option to pass.
    """

    def __init__(self, path: Path, reason: str, mend: str) -> None:
        self.path = path
        self.reason = reason
        self.mend = mend
        super().__init__(f"{path.name} was not imported: {reason} {mend}".strip())
