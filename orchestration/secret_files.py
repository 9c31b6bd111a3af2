"""Settings from files, one for each secret, as containers are given them.

What belongs here: the folder that `META_ADS_SECRETS_DIR` names. What does not: the settings themselves
(`orchestration.settings`). The environment and `.env` win over a file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import SecretsSettingsSource

from orchestration.errors import ConfigurationError

VARIABLE = "META_ADS_SECRETS_DIR"


class SecretFiles(SecretsSettingsSource):
    """Reads `<folder>/<setting in lower case>`. An empty file is an unset setting, like an empty variable."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The text of the field's file, or None."""
        text, key, is_complex = super().get_field_value(field, field_name)
        return text or None, key, is_complex


def folder() -> Path | None:
    """The folder of secrets; None where none is named.

    Raises:
        ConfigurationError: It is named and not there.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if not named:
        return None
    path = Path(named)
    if not path.is_dir():
        raise ConfigurationError(
            f"{VARIABLE} is {named!r}, which is no folder.", "mount the secrets there, or unset it"
        )
    return path
