"""Settings of one installation, from the environment and `.env`.

What belongs here: what differs between two machines or holds a secret; each with its default, check and mend.
What does not: clients, accounts, goals and reports (`orchestration.clients`).
"""

from __future__ import annotations

import difflib
import hashlib
import hmac
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from orchestration import mail_settings, metabase_settings, secret_files
from orchestration.errors import ConfigurationError
from warehouse.errors import InvalidUrl
from warehouse.urls import DatabaseUrl

SUPPORTED_VERSIONS = ("v26.0", "v25.0")

# The Marketing API of a version ends long before its Graph API does (fact sheet, versions).
RETIRED_VERSIONS = {
    "v24.0": "2026-10",
    "v23.0": "2026-06",
    "v22.0": "2026-02",
    "v21.0": "2025-09",
    "v20.0": "2025",
    "v19.0": "2025-02",
}
REDIS_SCHEMES = ("redis", "rediss", "redis+socket")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_SECRETS = (
    "META_ACCESS_TOKEN",
    "META_APP_SECRET",
    "META_WEBHOOK_VERIFY_TOKEN",
    "WAREHOUSE_URL",
    "DAGSTER_DATABASE_URL",
    "CELERY_BROKER_URL",
    "CELERY_BACKEND_URL",
    "ALERT_WEBHOOK_URL",
    "SMTP_PASSWORD",
    "METABASE_API_KEY",
    "METABASE_ADMIN_PASSWORD",
    "METABASE_WAREHOUSE_URL",
)
_SECRET_PATH = 12
"""Shorter paths of a webhook are words, which would be blotted out everywhere."""
_MENDS = {
    "META_ACCESS_TOKEN": "paste a token with ads_read on one line (docs/cookbooks/rotate-token.md)",
    "META_APP_ID": "copy the digits of the app's id from its dashboard, or leave it empty",
    "META_APP_SECRET": "copy it from the app's basic settings, on one line, or leave it empty",
    "META_WEBHOOK_VERIFY_TOKEN": "choose a long random word, the one in the app's webhook settings, or leave it empty",
    "META_API_VERSION": f"set {SUPPORTED_VERSIONS[0]}, or remove the line",
    "META_GRAPH_URL": "set https://graph.facebook.com, or the simulator's address such as http://127.0.0.1:8080",
    "META_TIMEOUT_SECONDS": "set seconds between 1 and 600, such as 60",
    "META_PAGE_SIZE": "set rows per page between 1 and 5000, such as 500",
    "META_MAX_ACCOUNTS_AT_ONCE": "set a whole number between 1 and 64, such as 4",
    "WAREHOUSE_URL": "set postgresql://user:password@host:5432/database, or nothing for the embedded server",
    "DAGSTER_DATABASE_URL": "set postgresql://user:password@host:5432/dagster, or nothing for one beside the warehouse",
    "DAGSTER_EXECUTOR": "set in_process (one machine) or celery (several workers, docs/cookbooks/scale-out.md)",
    "CELERY_BROKER_URL": "set redis://:password@host:6379/0, or nothing where DAGSTER_EXECUTOR is in_process",
    "CELERY_BACKEND_URL": "set redis://:password@host:6379/1, or nothing to keep results beside the queues",
    "CELERY_LOST_AFTER_SECONDS": "set seconds between 5 and 3600, such as 60",
    "META_ADS_HOME": "set a folder that may be created, such as .meta-ads",
    "CLIENTS_FILE": "set the path of the file, such as clients.yml",
    "DAGSTER_RUNS_KEPT_DAYS": "set days between 1 and 3650, such as 30",
    "OPS_KEPT_DAYS": "set days between 30 and 3650, such as 90",
    "RAW_KEPT_DAYS": "set days between 90 and 3650, or nothing to keep every day",
    "METRICS_HOST": "set the address to listen at: 127.0.0.1 for this machine alone, 0.0.0.0 for all",
    "LOG_FORMAT": "set text or json",
    "LOG_LEVEL": f"set one of {', '.join(LOG_LEVELS)}",
    **mail_settings.MENDS,
    **metabase_settings.MENDS,
}


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _one_word(value: SecretStr) -> SecretStr:
    # Reason: a token copied from a mail may have a line break in it, and Meta only answers code 190.
    text = value.get_secret_value()
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("has a space or a line break inside")
    if text.startswith("<") or text.lower() in {"changeme", "your_token", "your_app_secret", "xxx"}:
        raise ValueError("is still the placeholder of an example")
    return value


def _supported_version(value: str) -> str:
    version = value.lower()
    version = version if version.startswith("v") else f"v{version}"
    version = version if "." in version else f"{version}.0"
    if version in SUPPORTED_VERSIONS:
        return version
    if version in RETIRED_VERSIONS:
        ended = RETIRED_VERSIONS[version]
        raise ValueError(f"is {value!r}: the Marketing API of {version} ended in {ended}")
    raise ValueError(f"is {value!r}: this release speaks {' and '.join(SUPPORTED_VERSIONS)}")


def _graph_url(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError(f"is {value!r}: no http:// or https:// address")
    if url.username or url.query or url.fragment or url.path.strip("/"):
        raise ValueError("holds more than scheme, host and port; the version is a setting of its own")
    if url.scheme == "http" and url.hostname.endswith("facebook.com"):
        raise ValueError("would send the token unencrypted")
    _ = url.port  # Raises ValueError when it is no port.
    return f"{url.scheme}://{url.netloc}"


def _warehouse_url(value: SecretStr) -> SecretStr:
    try:
        DatabaseUrl.parse(value.get_secret_value())
    except InvalidUrl as error:  # Its text never quotes the URL, which holds a password.
        raise ValueError(f"cannot be used: {error}") from None
    return value


def _redis_url(value: SecretStr) -> SecretStr:
    try:
        url = urlsplit(value.get_secret_value())
        _ = url.port  # Raises ValueError when it is no port.
    except ValueError:  # Its text may quote the URL, which holds a password.
        raise ValueError("cannot be read as an address") from None
    if url.scheme not in REDIS_SCHEMES or not (url.hostname or url.path.strip("/")):
        raise ValueError(f"is no address of Redis ({', '.join(f'{scheme}://' for scheme in REDIS_SCHEMES)})")
    return value


def _folder(value: Path) -> Path:
    path = value.expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"is {value}: a file, where a folder is needed")
    return path


def _file(value: Path) -> Path:
    path = value.expanduser().absolute()
    if path.is_dir():
        raise ValueError(f"is {value}: a folder, where a file is needed")
    return path


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


_Strip = BeforeValidator(_stripped)
_Secret = Annotated[SecretStr, AfterValidator(_one_word), _Strip]


class Settings(BaseSettings):
    """What this installation was told; build it with `load_settings`, which explains what is wrong.

    Fields are named like their variables in lower case. An empty variable is unset. Paths are absolute.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8-sig", env_ignore_empty=True, extra="ignore", frozen=True,
        hide_input_in_errors=True,
    )  # fmt: skip

    meta_access_token: _Secret | None = None
    meta_app_id: Annotated[str, Field(pattern=r"^\d+$"), _Strip] | None = None
    meta_app_secret: _Secret | None = None
    meta_webhook_verify_token: _Secret | None = None
    meta_api_version: Annotated[str, AfterValidator(_supported_version), _Strip] = SUPPORTED_VERSIONS[0]
    meta_graph_url: Annotated[str, AfterValidator(_graph_url), _Strip] = "https://graph.facebook.com"
    meta_timeout_seconds: Annotated[float, Field(ge=1, le=600, allow_inf_nan=False)] = 60.0
    meta_page_size: Annotated[int, Field(ge=1, le=5000)] = 500
    meta_max_accounts_at_once: Annotated[int, Field(ge=1, le=64)] = 4
    warehouse_url: Annotated[SecretStr, AfterValidator(_warehouse_url), _Strip] | None = None
    dagster_database_url: Annotated[SecretStr, AfterValidator(_warehouse_url), _Strip] | None = None
    dagster_executor: Annotated[Literal["in_process", "celery"], BeforeValidator(_lower), _Strip] = "in_process"
    celery_broker_url: Annotated[SecretStr, AfterValidator(_redis_url), _Strip] | None = None
    celery_backend_url: Annotated[SecretStr, AfterValidator(_redis_url), _Strip] | None = None
    celery_lost_after_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    meta_ads_home: Annotated[Path, AfterValidator(_folder)] = Field(Path(".meta-ads"), validate_default=True)
    clients_file: Annotated[Path, AfterValidator(_file)] = Field(Path("clients.yml"), validate_default=True)
    alert_email_to: Annotated[tuple[str, ...], NoDecode, BeforeValidator(mail_settings.addresses)] = ()
    alert_email_from: Annotated[str, AfterValidator(mail_settings.address), _Strip] | None = None
    alert_webhook_url: Annotated[_Secret, AfterValidator(mail_settings.webhook)] | None = None
    alert_quiet_minutes: Annotated[int, Field(ge=5, le=10080)] = 240
    report_email_from: Annotated[str, AfterValidator(mail_settings.address), _Strip] | None = None
    report_max_megabytes: Annotated[int, Field(ge=1, le=100)] = 10
    dagster_web_url: Annotated[str, AfterValidator(mail_settings.web_url), _Strip] | None = None
    site_web_url: Annotated[str, AfterValidator(mail_settings.web_url), _Strip] | None = None
    smtp_host: Annotated[str, AfterValidator(mail_settings.host), _Strip] | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    smtp_user: Annotated[str, _Strip] | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Annotated[Literal["starttls", "implicit", "none"], BeforeValidator(_lower), _Strip] = "starttls"
    metabase_url: Annotated[str, AfterValidator(metabase_settings.base_url), _Strip] | None = None
    metabase_api_key: _Secret | None = None
    metabase_admin_email: Annotated[str, AfterValidator(mail_settings.address), _Strip] | None = None
    metabase_admin_password: SecretStr | None = None
    metabase_warehouse_url: Annotated[SecretStr, AfterValidator(metabase_settings.warehouse_url), _Strip] | None = None
    metabase_site_name: Annotated[str, Field(min_length=1), _Strip] = "Meta Ads Analytics"
    metabase_time_zone: Annotated[str, AfterValidator(metabase_settings.time_zone), _Strip] = "UTC"
    dagster_runs_kept_days: Annotated[int, Field(ge=1, le=3650)] = 30
    ops_kept_days: Annotated[int, Field(ge=30, le=3650)] = 90
    raw_kept_days: Annotated[int, Field(ge=90, le=3650)] | None = None
    metrics_host: Annotated[str, Field(min_length=1), _Strip] = "127.0.0.1"
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower), _Strip] = "text"
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper), _Strip] = (
        "INFO"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours instead
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What wins first: arguments, the environment, `.env`, files of secrets."""
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            secret_files.SecretFiles(settings_cls, secret_files.folder()),
        )

    @property
    def clients_file_was_named(self) -> bool:
        """Whether somebody named the clients file, so that its absence is a mistake and not a choice."""
        return "clients_file" in self.model_fields_set

    @property
    def takes_webhooks(self) -> bool:
        """Whether Meta's webhooks can be told from a stranger's."""
        return self.meta_app_secret is not None and self.meta_webhook_verify_token is not None

    def webhook_secrets(self) -> tuple[str, str]:
        """App secret and verify token, without which no webhook can be believed.

        Raises:
            ConfigurationError: One of them is not set.
        """
        if self.meta_app_secret is None or self.meta_webhook_verify_token is None:
            missing = "META_APP_SECRET" if self.meta_app_secret is None else "META_WEBHOOK_VERIFY_TOKEN"
            raise ConfigurationError(f"Webhooks need {missing}, which is not set.", "see docs/cookbooks/webhooks.md")
        return self.meta_app_secret.get_secret_value(), self.meta_webhook_verify_token.get_secret_value()

    def secrets(self) -> list[str]:
        """Every text that must never be printed: tokens, app secret, proof, passwords, the alerts' webhook."""
        token = self.meta_access_token.get_secret_value() if self.meta_access_token else ""
        secret = self.meta_app_secret.get_secret_value() if self.meta_app_secret else ""
        found = [token, secret]
        if token and secret:
            # Source: fact sheet, tokens: the proof is hex HMAC-SHA256 with the secret as key.
            found.append(hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest())
        if self.meta_webhook_verify_token:
            found.append(self.meta_webhook_verify_token.get_secret_value())
        for address in (self.warehouse_url, self.dagster_database_url, self.metabase_warehouse_url):
            if address is None:
                continue
            url = address.get_secret_value()
            # Both spellings: the redactor knows the canonical one, but not one that encodes more than it must.
            found += [urlsplit(url).password or "", DatabaseUrl.parse(url).password or ""]
        for address in (self.celery_broker_url, self.celery_backend_url):
            password = (urlsplit(address.get_secret_value()).password if address else "") or ""
            found += [password, unquote(password)]
        found.append(self.smtp_password.get_secret_value() if self.smtp_password else "")
        ours = (self.metabase_api_key, self.metabase_admin_password)
        found += [one.get_secret_value() for one in ours if one is not None]
        if self.alert_webhook_url:
            # Reason: errors of connections quote the path alone, and it is the part that is secret.
            posting = self.alert_webhook_url.get_secret_value()
            path = urlsplit(posting).path.strip("/")
            found += [posting, path if len(path) >= _SECRET_PATH else ""]
        return [text for text in dict.fromkeys(found) if text]


def load_settings(env_file: Path | None = Path(".env"), **overrides: Any) -> Settings:
    """Reads the environment, then `.env` for what it leaves out, then files of secrets (`META_ADS_SECRETS_DIR`).

    Args:
        env_file: The file to read; None for the environment alone. A missing file is legal.
        overrides: Fields by name that win over both, for the command line and tests.

    Raises:
        ConfigurationError: Naming every variable that is wrong, why, and how to mend it.
    """
    problems = _misspelt(env_file) if env_file else []
    try:
        arguments: dict[str, Any] = {"_env_file": env_file, **overrides}
        settings = Settings(**arguments)
    except ValidationError as error:
        problems += [_problem(str(item["loc"][0]).upper(), item) for item in error.errors(include_url=False)]
    except UnicodeDecodeError:
        raise ConfigurationError(f"{env_file} is not UTF-8 text.", "save it again as UTF-8") from None
    else:
        problems += mail_settings.contradictions(settings)
        if not problems:
            return settings
    if len(problems) == 1:
        raise ConfigurationError(*problems[0])
    lines = [f"{message}\n  -> {mend}" for message, mend in dict.fromkeys(problems)]
    raise ConfigurationError("\n".join([f"{len(lines)} settings are wrong.", *lines]))


def environment_settings() -> Settings:
    """Settings for a process that the platform starts: `META_ADS_ENV_FILE` names the file, and empty stands for none.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    named = os.environ.get("META_ADS_ENV_FILE", ".env")
    return load_settings(Path(named) if named else None)


def _problem(variable: str, item: Any) -> tuple[str, str]:
    context = item.get("ctx", {})
    match item["type"]:
        case "value_error":
            what = str(context["error"])
        case "greater_than_equal" | "less_than_equal" | "literal_error":
            what = f"is {item['input']!r}"
        case "string_pattern_mismatch":
            what = f"is {item['input']!r}: not digits alone"
        case _ if variable in _SECRETS:
            what = f"cannot be used: {item['msg'][:1].lower()}{item['msg'][1:]}"
        case _:
            what = f"is {item['input']!r}: {item['msg'][:1].lower()}{item['msg'][1:]}"
    return f"{variable} {what.removesuffix('.')}.", _MENDS.get(variable, "see .env.example")


def _misspelt(env_file: Path) -> list[tuple[str, str]]:
    # Only near misses: other programs may keep their variables in the same file.
    if not env_file.is_file():
        return []
    known = [name.upper() for name in Settings.model_fields]
    problems = []
    for name in dotenv_values(env_file, encoding="utf-8-sig", interpolate=False):
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)
        if near and name.upper() not in known:
            problems.append((f"{name} in {env_file} is not a setting.", f"did you mean {near[0]}?"))
    return problems
