"""Ads Manager exports (CSV, XLSX) to rows in the shape of Meta's API.

What belongs here: everything between a file that a person exported by hand and the rows that take the road of API rows.
What does not: fetching, SQL, and the slice of the API road; nothing here imports anything else of the project.
"""

from ingestion.exports.combine import AccountDay, combine
from ingestion.exports.errors import ExportError, ExportRefused
from ingestion.exports.identity import derive_id
from ingestion.exports.model import Export, ExportDay, RejectedRow
from ingestion.exports.reader import read_export

__all__ = [
    "AccountDay",
    "Export",
    "ExportDay",
    "ExportError",
    "ExportRefused",
    "RejectedRow",
    "combine",
    "derive_id",
    "read_export",
]
