"""The sensor that looks for trouble and has it told.

What belongs here: when it looks, what Dagster knows, and the cursor. What does not: everything else
(`orchestration.alerts`).
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Protocol

import dagster as dg
from pydantic import BaseModel, Field, ValidationError

from orchestration.alerts.channels import Channel, channels
from orchestration.alerts.evaluate import Memory, Watch, evaluate
from orchestration.alerts.memory import MemoryAlerts
from orchestration.defs.partitions import ACCOUNTS, account_of
from orchestration.defs.resources import PlatformSource
from orchestration.defs.run_events import Position, ended_runs, has_succeeded
from orchestration.errors import ConfigurationError
from orchestration.platform import Platform
from orchestration.settings import Settings, environment_settings

log = logging.getLogger(__name__)

CHECK_EVERY_SECONDS = 60
#: The job that pulls the current day; once it has run, that day is watched.
TODAY_JOB = "tick"
_TODAY_JOB_RUNS = timedelta(days=2)


class Alerting(Protocol):
    """What alerts need beside the platform, which may be what is broken."""

    def settings(self) -> Settings:
        """Of this installation."""

    def channels(self, settings: Settings) -> list[Channel]:
        """Where messages go."""

    def now(self, platform: Platform | None) -> datetime:
        """The time, with a time zone."""


class EnvironmentAlerting:
    """Alerts as the environment and `.env` want them."""

    def settings(self) -> Settings:
        """See `Alerting.settings`.

        Raises:
            ConfigurationError: A setting is wrong.
        """
        return environment_settings()

    def channels(self, settings: Settings) -> list[Channel]:
        """See `Alerting.channels`."""
        return channels(settings)

    def now(self, platform: Platform | None) -> datetime:
        """See `Alerting.now`: the platform's clock, where there is one."""
        return datetime.fromtimestamp(platform.clock.now(), UTC) if platform else datetime.now(UTC)


class Cursor(BaseModel):
    """What the sensor remembers."""

    after: int | None = None
    seen: list[int] = Field(default_factory=list)
    own: list[object] = Field(default_factory=list)
    token_asked_at: datetime | None = None
    is_token_bad: bool = False

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        """What was remembered; nothing where another release wrote it."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()


@dg.sensor(
    minimum_interval_seconds=CHECK_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells failed runs and checks, stale accounts, an expiring token and used-up limits by e-mail and "
    "webhook: once for each cause, and once that it is over.",
)
def alerts(
    context: dg.SensorEvaluationContext,
    platform: dg.ResourceParam[PlatformSource],
    alerting: dg.ResourceParam[Alerting],
) -> dg.SensorResult:
    """Looks once; what it cannot send stays due."""
    cursor = Cursor.parse(context.cursor)
    try:
        settings = alerting.settings()
    except ConfigurationError as problem:
        # Reason: without settings nobody knows whom to tell; the log of the daemon is what is left.
        log.warning("Alerts cannot be sent: %s Mend: %s", problem.message, problem.mend)
        return dg.SensorResult(skip_reason=f"{problem.message} Mend: {problem.mend}", cursor=context.cursor)
    position = Position(cursor.after, cursor.seen)
    runs, read = ended_runs(context.instance, position, datetime.now(UTC))
    memory = Memory(MemoryAlerts.from_json(cursor.own), cursor.token_asked_at, cursor.is_token_bad)
    looked = evaluate(
        platform.opened,
        alerting.channels(settings),
        runs,
        _watch(context.instance),
        memory,
        timedelta(minutes=settings.alert_quiet_minutes),
        web_url=settings.dagster_web_url,
        now=alerting.now,
    )
    if looked.took_runs:
        position = read
    kept = Cursor(
        after=position.after,
        seen=position.seen,
        own=memory.own.to_json(),
        token_asked_at=memory.token_asked_at,
        is_token_bad=memory.is_token_bad,
    )
    delivered = [f"{channel}: {message.group}" for sent in looked.sent for channel, message in sent.delivered]
    failed = [f"{channel} failed: {problem}" for sent in looked.sent for channel, problem in sent.failed]
    told = "; ".join([*delivered, *failed]) or "Nothing new is to be told."
    return dg.SensorResult(skip_reason=told, cursor=kept.model_dump_json())


def _watch(instance: dg.DagsterInstance) -> Watch:
    keys = instance.get_dynamic_partitions(ACCOUNTS.name or "")
    is_today_pulled = has_succeeded(instance, TODAY_JOB, datetime.now(UTC) - _TODAY_JOB_RUNS)
    return Watch({account_of(key) for key in keys}, is_today_pulled)
