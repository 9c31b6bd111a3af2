"""The shape of `clients.yml`.

What belongs here: keys, types and defaults; every model refuses unknown keys. What does not: rules across entries
(`checks`), line numbers (`problems`) and reading the file (`load`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictBool,
    StrictStr,
    model_validator,
)

from dashboards.checked_yaml import near, refuse
from dashboards.reports.model import Attachment, Language
from ingestion.exports import derive_id
from orchestration.clients import declared, values
from orchestration.clients.plan import DEFAULT_HISTORY_DAYS, DEFAULT_RESTATEMENT_DAYS, PlannedReport, make_plan
from orchestration.errors import UnknownAccountError

Level = Literal["ad", "adset", "campaign", "account"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Conversion(_Entry):
    """What counts as a conversion for an account: one action type, because action types overlap."""

    action: values.ActionType = "omni_purchase"
    value: values.ActionType | None = None
    window: values.WindowOrDefault = "default"

    @property
    def value_action(self) -> str | None:
        """The action type whose value is the conversion value; None where conversions have none (`value: none`)."""
        return None if self.value == "none" else self.value or self.action

    @property
    def window_key(self) -> str:
        """The window's key in Meta's rows, where the account's own default is called `value`."""
        return "value" if self.window == "default" else self.window


class Goals(_Entry):
    """What an account wants to reach. Money is in major units of the account's currency."""

    roas: values.PositiveDecimal | None = None
    cpa: values.PositiveDecimal | None = None
    monthly_budget: values.PositiveDecimal | None = None


class PullOverride(_Entry):
    """Horizons that differ for one account: days back by report, 0 to leave a report out."""

    reports: dict[StrictStr, values.DaysOrNone] = Field(default_factory=dict)


class Pull(PullOverride):
    """Horizons for every account, laid over the defaults."""

    restatement_days: values.Days = DEFAULT_RESTATEMENT_DAYS


class Account(_Entry):
    """An ad account and what its owner wants of it.

    One that is known from exported files alone has no id of Meta: `imported`, the name in the files, stands for it.
    """

    id: values.AccountId
    name: values.Title | None = None
    imported: values.Title | None = None
    conversion: Conversion = Field(default_factory=Conversion)
    goals: Goals = Field(default_factory=Goals)
    pull: PullOverride = Field(default_factory=PullOverride)

    @model_validator(mode="before")
    @classmethod
    def _derive_id(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("imported"), str):
            return data
        if "id" in data:
            raise refuse("an account has both `id` and `imported`", "remove `imported`: the id says it all")
        name = data["imported"].strip()
        return data | {"id": values.DerivedId(derive_id("account", 0, 0, name)), "name": data.get("name") or name}

    @property
    def graph_id(self) -> str:
        """The id as the Graph API spells it."""
        return f"act_{self.id}"

    @property
    def is_imported(self) -> bool:
        """Whether Meta cannot be asked about it."""
        return self.id < 0


class ReportSection(_Entry):
    """A part of a report: cards of a dashboard. A dashboard's key alone stands for all of its cards."""

    dashboard: values.Key
    tab: values.Key | None = None
    cards: list[values.Key] = Field(default_factory=list)
    title: values.Title | None = None

    @model_validator(mode="before")
    @classmethod
    def _key_alone(cls, data: Any) -> Any:
        return {"dashboard": data} if isinstance(data, str) else data


class EmailReport(_Entry):
    """A report that is sent by e-mail: to whom, when (cron, in its time zone), over which period, and what is in it.

    `accounts` are names or ids of the client's accounts; none stands for all. `owner` is told when it is not sent;
    without one, those are who get the alerts.
    """

    name: values.Slug
    recipients: Annotated[list[values.Address], Field(min_length=1)]
    schedule: values.Schedule
    time_zone: values.TimeZone
    period: values.Period
    title: values.Title | None = None
    accounts: list[values.AccountName] = Field(default_factory=list)
    sections: list[ReportSection] = Field(default_factory=list)
    custom_metrics: list[StrictStr] = Field(default_factory=list)
    words: values.Words | None = None
    language: Language = "en"
    attachments: list[Attachment] = Field(default_factory=list)
    owner: values.Address | None = None
    enabled: StrictBool = True


class Client(_Entry):
    """Whoever may see the same data: accounts together, and the reports about them."""

    id: values.Slug
    name: values.Title
    accounts: Annotated[list[Account], Field(min_length=1)]
    reports: list[EmailReport] = Field(default_factory=list)
    reporting_currency: declared.Currency | None = None
    experiments: list[declared.Experiment] = Field(default_factory=list)
    custom_metrics: list[declared.CustomMetric] = Field(default_factory=list)

    def account_ids(self, names: Sequence[str]) -> tuple[int, ...]:
        """The ids of this client's accounts that are called so, by name or id, each once, in the order of names."""
        called = {
            account.id: {account.name, account.imported, str(account.id), account.graph_id} for account in self.accounts
        }
        return tuple(dict.fromkeys(one for name in names for one, known in called.items() if name in known))


def _unique(fields: list[str]) -> list[str]:
    return list(dict.fromkeys(fields))


class CustomReport(_Entry):
    """A question to Meta that no preset asks; its rows land in `raw.insights_<name>`."""

    name: values.Identifier
    level: Level
    fields: Annotated[list[values.FieldName], Field(min_length=1), AfterValidator(_unique)]
    breakdowns: list[values.FieldName] = Field(default_factory=list)
    action_breakdowns: list[values.FieldName] = Field(default_factory=list)
    windows: list[values.Window] = Field(default_factory=list)
    history_days: values.Days = 30


class ClientsFile(_Entry):
    """All of `clients.yml`; without a file, a platform with no declared client."""

    version: Literal[1]
    clients: list[Client] = Field(default_factory=list)
    pull: Pull = Field(default_factory=Pull)
    custom_reports: list[CustomReport] = Field(default_factory=list)
    exchange_rates: Annotated[Any, BeforeValidator(declared.parse_rates)] = None

    _path: Path | None = PrivateAttr(None)
    _warnings: tuple[str, ...] = PrivateAttr(())
    _declarations: declared.Declarations = PrivateAttr(default_factory=declared.Declarations)

    @property
    def path(self) -> Path | None:
        """The file that was read; None when there was none, and every visible account is meant."""
        return self._path

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd in the file but not refused, each with file and line."""
        return self._warnings

    @property
    def declarations(self) -> declared.Declarations:
        """Experiments, custom metrics and exchange rates, as rows of the warehouse."""
        return self._declarations

    def accounts(self) -> Iterator[tuple[Client, Account]]:
        """Every declared account with its client, in the file's order."""
        for client in self.clients:
            for account in client.accounts:
                yield client, account

    def find(self, account_id: int | str) -> tuple[Client, Account] | None:
        """The declared account and its client, or None. Takes 123, "123" and "act_123"."""
        try:
            # Reason: an imported account's id is negative, which nobody types but tables hold.
            digits = account_id if isinstance(account_id, int) else values.parse_account_id(account_id)
        except ValueError:
            return None
        return next((pair for pair in self.accounts() if pair[1].id == digits), None)

    def account(self, account_id: int | str) -> Account:
        """The declared account.

        Raises:
            UnknownAccountError: When the file does not name it.
        """
        found = self.find(account_id)
        if found:
            return found[1]
        known = [account.graph_id for _, account in self.accounts()]
        listed = f"it names {', '.join(known[:5])}{' and more' if len(known) > 5 else ''}" if known else ""
        raise UnknownAccountError(
            f"{self._path or 'clients.yml'} names no account {account_id}.",
            near(str(account_id), known) or listed or "add it to clients.yml (see clients.example.yml)",
        )

    def custom_report(self, name: str) -> CustomReport | None:
        """The custom report of that name, or None for a preset."""
        return next((report for report in self.custom_reports if report.name == name), None)

    def plan_for(self, account_id: int | str) -> list[PlannedReport]:
        """What to pull for an account, declared or not: defaults, then `pull`, then the account's own `pull`."""
        days = DEFAULT_HISTORY_DAYS | {report.name: report.history_days for report in self.custom_reports}
        found = self.find(account_id)
        own = found[1].pull.reports if found else {}
        return make_plan(days | self.pull.reports | own, self.pull.restatement_days)

    def client_account_rows(self) -> list[dict[str, Any]]:
        """The rows of `ops.client_account`: one an account, goals as decimal strings."""
        return [
            {
                "account_id": account.id,
                "client_id": client.id,
                "client_name": client.name,
                "account_name": account.name,
                "conversion_action": account.conversion.action,
                "value_action": account.conversion.value_action,
                "conversion_window": account.conversion.window_key,
                "goals": account.goals.model_dump(mode="json", exclude_none=True),
                "reporting_currency": client.reporting_currency,
            }
            for client, account in self.accounts()
        ]
