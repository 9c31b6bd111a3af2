"""Settings: what there is, what it is by default, who fixed it, reading and writing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import RootModel

from tests.metabase.access.principals import ADMINISTRATORS
from tests.metabase.core.call import Call, Reply, route
from tests.metabase.core.errors import ApiError, bad_request, forbidden, server_error
from tests.metabase.core.schema import Body

Kind = Literal["text", "flag", "number"]
_PAID = ("sandboxes", "advanced_permissions", "cache_granular_controls", "embedding", "official_collections")
_FLAGS = {"true": True, "false": False, True: True, False: False}


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        public: Everybody reads it in the properties.
        writable: It can be set at all.
        secret: Shown with all but its last two characters hidden.
    """

    kind: Kind
    default: Any = None
    public: bool = False
    writable: bool = True
    secret: bool = False


SETTINGS: dict[str, Setting] = {
    "admin-email": Setting("text"),
    "allowed-iframe-hosts": Setting("text"),
    "anon-tracking-enabled": Setting("flag", True, public=True),
    "application-name": Setting("text", "Metabase", public=True, writable=False),
    "check-for-updates": Setting("flag", True),
    "custom-homepage": Setting("flag", False),
    "custom-homepage-dashboard": Setting("number"),
    "email-configured?": Setting("flag", False, public=True, writable=False),
    "email-from-address": Setting("text", "notifications@metabase.com"),
    "email-smtp-host": Setting("text"),
    "email-smtp-password": Setting("text", secret=True),
    "email-smtp-port": Setting("number"),
    "email-smtp-security": Setting("text", "none"),
    "email-smtp-username": Setting("text"),
    "enable-embedding": Setting("flag", False, public=True),
    "enable-embedding-static": Setting("flag", False, public=True),
    "enable-nested-queries": Setting("flag", True),
    "enable-password-login": Setting("flag", True, public=True),
    "enable-public-sharing": Setting("flag", True),
    "enable-query-caching": Setting("flag", True),
    "enable-xrays": Setting("flag", True),
    "humanization-strategy": Setting("text", "simple"),
    "query-caching-max-kb": Setting("number", 2000),
    "query-caching-max-ttl": Setting("number", 3024000),
    "redirect-all-requests-to-https": Setting("flag", False),
    "report-timezone": Setting("text"),
    "show-homepage-data": Setting("flag", True),
    "show-homepage-xrays": Setting("flag", True),
    "site-locale": Setting("text", "en", public=True),
    "site-name": Setting("text", "Metabase", public=True),
    "site-url": Setting("text", public=True),
    "start-of-week": Setting("text", "sunday", public=True),
    "synchronous-batch-updates": Setting("flag", False),
    "user-visibility": Setting("text", "all"),
}


def value_of(call: Call, name: str) -> Any:
    """The value in force: the environment's, else what was set, else the default."""
    if name in call.options.env_settings:
        return call.options.env_settings[name]
    if name == "email-configured?":
        return bool(value_of(call, "email-smtp-host"))
    return call.state.settings.get(name, SETTINGS[name].default)


def public_properties(call: Call) -> dict[str, Any]:
    """What `GET /api/session/properties` answers to whoever asks."""
    shown = {
        name: value_of(call, name)
        for name, setting in SETTINGS.items()
        if not setting.secret and (setting.public or (call.known is not None and call.known["is_superuser"]))
    }
    version = call.options.version
    return shown | {
        "setup-token": call.state.setup_token,
        "has-user-setup": call.state.first("membership", group_id=ADMINISTRATORS) is not None,
        "version": {"tag": version, "date": "2026-11-01", "hash": "0000000", "branch": "release"},
        "token-features": dict.fromkeys(
            ("sandboxes", "advanced_permissions", "cache_granular_controls", "embedding"), False
        ),
        "available-locales": [["en", "English"], ["de", "German"], ["fr", "French"]],
        "available-timezones": ["UTC", "Europe/Berlin"],
        "password-complexity": {"total": 6, "digit": 1},
        "engines": {"postgres": {"driver-name": "PostgreSQL"}},
    }


class Value(Body):
    """A new value; null takes the setting back to its default."""

    value: Any


class Values(RootModel[dict[str, Any]]):
    """New values by setting."""


def _known(name: str) -> str:
    name = name.replace("_", "-")
    if name not in SETTINGS:
        raise server_error(f"Unknown setting: :{name}")
    return name


def _store(call: Call, name: str, value: Any) -> None:
    setting = SETTINGS[name]
    if not setting.writable:
        raise server_error(f"You cannot set {name}; it is a read-only setting.")
    if name in call.options.env_settings and call.options.env_writes == "refuse":
        raise bad_request(f"You cannot set {name}; it is set by the environment variable {env_name(name)}.")
    if value is None:
        call.state.settings.pop(name, None)
        return
    call.state.settings[name] = _checked(name, setting.kind, value)


def _checked(name: str, kind: Kind, value: Any) -> Any:
    if kind == "flag":
        if isinstance(value, str | bool) and value in _FLAGS:
            return _FLAGS[value]
    elif kind == "number":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
    elif isinstance(value, str):
        return value.rstrip("/") if name == "site-url" else value
    raise server_error(f"Invalid value for setting {name}: {value!r}")


def env_name(name: str) -> str:
    """The environment variable of a setting."""
    return "MB_" + name.replace("-", "_").rstrip("?").upper()


def _shown(call: Call, name: str) -> Any:
    """What a person sees: nothing for a default and nothing for what the environment fixed."""
    value = value_of(call, name)
    if name in call.options.env_settings or value == SETTINGS[name].default:
        return None
    return f"**********{str(value)[-2:]}" if SETTINGS[name].secret else value


@route("GET", "/api/setting", access="admin")
def all_settings(call: Call) -> list[dict[str, Any]]:
    """Every writable setting, by name, the environment's values left out."""
    return [
        {
            "key": name,
            "value": _shown(call, name),
            "is_env_setting": name in call.options.env_settings,
            "env_name": env_name(name),
            "description": name.replace("-", " "),
            "default": f"Using value of env var ${env_name(name)}"
            if name in call.options.env_settings
            else setting.default,
        }
        for name, setting in sorted(SETTINGS.items())
    ]


@route("PUT", "/api/setting", access="admin", body=Values)
def set_many(call: Call) -> None:
    """All or nothing; names that are no setting are passed over."""
    before = dict(call.state.settings)
    try:
        for name, value in call.body.root.items():
            if name.replace("_", "-") in SETTINGS:
                _store(call, name.replace("_", "-"), value)
    except ApiError:
        call.state.settings = before
        raise


@route("GET", "/api/setting/{key}")
def one_setting(call: Call) -> Any:
    """The value that was set; nothing (204) for a default and for what the environment fixed."""
    name = call.path["key"].replace("_", "-")
    if not call.user["is_superuser"] and not (name in SETTINGS and SETTINGS[name].public):
        raise forbidden()
    value = _shown(call, _known(name))
    # Reason: texts go out bare, other values as JSON.
    return Reply(value) if value is not None else None


@route("PUT", "/api/setting/{key}", access="admin", body=Value)
def set_one(call: Call) -> None:
    """Sets one."""
    _store(call, _known(call.path["key"]), call.body.value)
