"""Settings: defaults, refusals with their mend, and secrets that stay out of sight."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError, UserError
from orchestration.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
VARIABLES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def refused(**variables: str) -> str:
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_defaults_need_no_file(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.meta_api_version == "v26.0"
    assert settings.meta_graph_url == "https://graph.facebook.com"
    assert settings.meta_ads_home == tmp_path / ".meta-ads"
    assert settings.clients_file == tmp_path / "clients.yml"
    assert settings.warehouse_url is None
    assert settings.secrets() == []
    assert not settings.clients_file_was_named


def test_environment_wins_over_the_file_and_overrides_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("META_PAGE_SIZE=100\nLOG_FORMAT=JSON\nCLIENTS_FILE=a.yml\n")
    assert load_settings().meta_page_size == 100
    assert load_settings().log_format == "json"
    assert load_settings().clients_file_was_named
    monkeypatch.setenv("META_PAGE_SIZE", "200")
    assert load_settings().meta_page_size == 200
    assert load_settings(meta_page_size=300).meta_page_size == 300
    assert load_settings(env_file=None).log_format == "text"


def test_an_empty_variable_is_unset() -> None:
    Path(".env").write_text("".join(f"{name}=\n" for name in VARIABLES))
    assert load_settings().model_dump() == load_settings(env_file=None).model_dump()


@pytest.mark.parametrize(
    ("given", "kept"), [("v25.0", "v25.0"), ("26.0", "v26.0"), ("V26.0", "v26.0"), ("v25", "v25.0")]
)
def test_supported_versions(given: str, kept: str) -> None:
    assert load_settings(meta_api_version=given).meta_api_version == kept


RETIRED = [
    ("v19.0", "ended in 2025-02"),
    ("v24.0", "ended in 2026-10"),
    ("v27.0", "speaks v26.0 and v25.0"),
    ("x", "speaks v26.0"),
]


@pytest.mark.parametrize(("version", "reason"), RETIRED)
def test_other_versions_are_refused_with_the_reason(version: str, reason: str) -> None:
    message = refused(META_API_VERSION=version)
    assert reason in message
    assert "-> set v26.0" in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("META_ACCESS_TOKEN", '"EAA b"'),
        ("META_ACCESS_TOKEN", '"<your token>"'),
        ("META_APP_ID", "my app"),
        ("META_GRAPH_URL", "graph.facebook.com"),
        ("META_GRAPH_URL", "http://graph.facebook.com"),
        ("META_GRAPH_URL", "https://graph.facebook.com/v26.0"),
        ("META_GRAPH_URL", "http://localhost:port"),
        ("META_TIMEOUT_SECONDS", "0"),
        ("META_TIMEOUT_SECONDS", "nan"),
        ("META_PAGE_SIZE", "many"),
        ("META_PAGE_SIZE", "5001"),
        ("META_MAX_ACCOUNTS_AT_ONCE", "1.5"),
        ("WAREHOUSE_URL", "mysql://u:p@h/d"),
        ("WAREHOUSE_URL", "postgresql://u:p/w@h/d"),
        ("DAGSTER_EXECUTOR", "multiprocess"),
        ("CELERY_BROKER_URL", "amqp://u:p@h//"),
        ("CELERY_BROKER_URL", "redis://u:p@h:port/0"),
        ("CELERY_BACKEND_URL", "redis://"),
        ("CELERY_LOST_AFTER_SECONDS", "4"),
        ("META_ADS_HOME", ".env"),
        ("CLIENTS_FILE", "."),
        ("ALERT_EMAIL_TO", "ann@example.com, bob"),
        ("ALERT_EMAIL_FROM", "Ann <ann@example.com>"),
        ("ALERT_WEBHOOK_URL", "hooks.slack.com/services/x"),
        ("ALERT_WEBHOOK_URL", "http://hooks.slack.com/services/x"),
        ("ALERT_QUIET_MINUTES", "4"),
        ("DAGSTER_WEB_URL", "localhost:3000"),
        ("SMTP_HOST", "smtp://mail.example.com"),
        ("SMTP_PORT", "0"),
        ("SMTP_TLS", "ssl"),
        ("METABASE_URL", "metabase.example.com"),
        ("METABASE_URL", "https://ann:hush@metabase.example.com"),
        ("METABASE_API_KEY", '"mb_a b"'),
        ("METABASE_ADMIN_EMAIL", "ann"),
        ("METABASE_WAREHOUSE_URL", "postgresql://reader:pw@/ads?host=/var/run"),
        ("METABASE_WAREHOUSE_URL", "postgresql://db/ads"),
        ("METABASE_WAREHOUSE_URL", "postgresql://reader:pw@db/ads?sslmode=disable"),
        ("METABASE_TIME_ZONE", "Europe/Bonn"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_bad_value_names_the_variable_and_the_mend(variable: str, value: str) -> None:
    message = refused(**{variable: value})
    assert message.startswith(f"{variable} ")
    assert message.count("\n  -> ") == 1


def test_all_bad_values_at_once() -> None:
    message = refused(META_PAGE_SIZE="x", LOG_LEVEL="y", META_API_VERSION="v1.0")
    assert message.startswith("3 settings are wrong.")
    assert message.count("  -> ") == 3


def test_a_misspelt_variable_is_told_and_a_foreign_one_is_not() -> None:
    assert "did you mean META_ACCESS_TOKEN?" in refused(META_ACESS_TOKEN="x")
    Path(".env").write_text("PGHOST=x\nMETABASE_HOST=y\n")
    load_settings()


def test_secrets_are_in_no_representation_and_in_no_error() -> None:
    settings = load_settings(
        meta_access_token="EAAsecret", meta_app_secret="0123abcd", warehouse_url="postgresql://u:p%40ss@h:5432/d"
    )
    for secret in ("EAAsecret", "0123abcd", "p%40ss"):
        assert secret not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "hush" not in refused(META_ACCESS_TOKEN="'hush hush'")
    assert "hu/sh" not in refused(WAREHOUSE_URL="postgresql://u:hu/sh@h/d")
    assert "hush" not in refused(CELERY_BROKER_URL="amqp://u:hush@h//")
    assert "hush" not in refused(CELERY_BROKER_URL="redis://u:hush@h:port/0")
    queues = load_settings(env_file=None, celery_broker_url="redis://:que%2Fue@h", celery_backend_url="redis://:back@h")
    assert "que" not in repr(queues) + queues.model_dump_json()
    assert queues.secrets() == ["que%2Fue", "que/ue", "back"]
    # Computed with `printf EAAsecret | openssl dgst -sha256 -hmac 0123abcd`.
    proof = "0051c4c823ce44bd6cf96c44088f5e0490f63498b4841ed90159e783c7aca1bc"
    assert settings.secrets() == ["EAAsecret", "0123abcd", proof, "p%40ss", "p@ss"]


@pytest.mark.parametrize("missing", ["meta_app_secret", "meta_webhook_verify_token"])
def test_webhooks_need_both_secrets(missing: str) -> None:
    both = {"meta_app_secret": "0123abcd", "meta_webhook_verify_token": "wordofours"}
    settings = load_settings(**both)
    assert settings.takes_webhooks
    assert settings.webhook_secrets() == ("0123abcd", "wordofours")
    assert set(both.values()) <= set(settings.secrets())
    assert "wordofours" not in repr(settings)
    lacking = load_settings(**{name: text for name, text in both.items() if name != missing})
    assert not lacking.takes_webhooks
    with pytest.raises(ConfigurationError, match=missing.upper()):
        lacking.webhook_secrets()


def test_secrets_of_metabase_are_known_and_never_shown() -> None:
    settings = load_settings(
        metabase_url="https://metabase.example.com/",
        metabase_api_key="mb_hush",
        metabase_admin_password="hush hush",
        metabase_warehouse_url="postgresql://mb_agency:hu%2Fsh@db:5432/ads?sslmode=verify-full",
    )
    assert settings.metabase_url == "https://metabase.example.com"
    assert {"mb_hush", "hush hush", "hu/sh", "hu%2Fsh"} <= set(settings.secrets())
    assert "hu" not in repr(settings).replace("metabase_", "")
    assert "hush" not in refused(METABASE_URL="https://ann:hush@metabase.example.com")
    assert "hush" not in refused(METABASE_WAREHOUSE_URL="postgresql://reader:hush@/ads")
    load_settings(metabase_warehouse_url="postgresql://mb_agency@db:5432/ads")
    assert "mb_agency" in refused(METABASE_WAREHOUSE_URL="postgresql://reader@db:5432/ads")


MAIL = {"ALERT_EMAIL_TO": "ann@example.com", "SMTP_HOST": "smtp.example.com"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ALERT_EMAIL_TO": "ann@example.com"}, "SMTP_HOST is not"),
        (MAIL, "ALERT_EMAIL_FROM is not"),
        (MAIL | {"SMTP_USER": "ann", "SMTP_PASSWORD": "x"}, "ALERT_EMAIL_FROM is not"),
        ({"SMTP_PASSWORD": "x"}, "SMTP_USER is not"),
        ({"SMTP_USER": "ann"}, "SMTP_PASSWORD is not"),
        (
            MAIL | {"SMTP_USER": "ann@example.com", "SMTP_PASSWORD": "x", "SMTP_TLS": "none"},
            "would send SMTP_PASSWORD unencrypted",
        ),
    ],
)
def test_settings_of_mail_that_contradict_each_other(variables: dict[str, str], message: str) -> None:
    told = refused(**variables)
    assert message in told
    assert told.count("\n  -> ") == 1


def test_settings_of_mail_that_fit() -> None:
    login = MAIL | {"SMTP_USER": "ann@example.com", "SMTP_PASSWORD": "hush hush"}
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in login.items()))
    settings = load_settings()
    assert settings.alert_email_to == ("ann@example.com",)
    assert "hush hush" in settings.secrets()
    assert "hush" not in repr(settings)
    load_settings(smtp_tls="none", smtp_host="127.0.0.1")
    path = "services/T000/B000/XXXX"
    hook = load_settings(alert_webhook_url=f"https://hooks.slack.com/{path}")
    assert {path, f"https://hooks.slack.com/{path}"} <= set(hook.secrets())
    assert path not in refused(ALERT_WEBHOOK_URL=f"ftp://hooks.slack.com/{path}")


def test_the_example_names_every_setting_and_loads() -> None:
    text = (ROOT / ".env.example").read_text()
    named = re.findall(r"^#? ?([A-Z_]+)=", text, re.MULTILINE)
    assert sorted(named) == sorted(VARIABLES)
    assert load_settings(env_file=ROOT / ".env.example").model_dump() == load_settings(env_file=None).model_dump()
    everything = re.sub(r"^# ([A-Z_]+=)", r"\1", text, flags=re.MULTILINE)
    Path(".env").write_text(everything)
    load_settings()


def test_an_error_prints_message_and_mend() -> None:
    assert str(UserError("No.", "do this")) == "No.\n  -> do this"
    assert str(UserError("No.")) == "No."


def test_secrets_may_be_files_and_an_empty_one_is_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "meta_access_token").write_text("EAAfromafile\n")
    (folder / "smtp_password").write_text("\n")
    (folder / "not_a_setting").write_text("x")
    monkeypatch.setenv("META_ADS_SECRETS_DIR", str(folder))
    settings = load_settings()
    assert settings.meta_access_token is not None
    assert settings.meta_access_token.get_secret_value() == "EAAfromafile"
    assert settings.smtp_password is None
    assert "EAAfromafile" in settings.secrets()
    monkeypatch.setenv("META_ACCESS_TOKEN", "EAAfromtheenvironment")
    chosen = load_settings().meta_access_token
    assert chosen is not None
    assert chosen.get_secret_value() == "EAAfromtheenvironment"


def test_a_wrong_secret_file_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "warehouse_url").write_text("mysql://user:hush@db/x")
    monkeypatch.setenv("META_ADS_SECRETS_DIR", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "WAREHOUSE_URL" in str(caught.value)
    assert "hush" not in str(caught.value)
    monkeypatch.setenv("META_ADS_SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="no folder"):
        load_settings()
