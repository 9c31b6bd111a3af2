"""Clients, their accounts, goals and reports, from `clients.yml`.

What belongs here: what a person declares about accounts. What does not: secrets and machine settings
(`orchestration.settings`), and what Meta knows about an account (`raw.accounts`).
"""

from orchestration.clients.load import load_clients, parse_clients
from orchestration.clients.models import (
    Account,
    Client,
    ClientsFile,
    Conversion,
    CustomReport,
    EmailReport,
    Goals,
)
from orchestration.clients.plan import PlannedReport, default_plan
from orchestration.clients.problems import ClientsFileError, Problem

__all__ = [
    "Account",
    "Client",
    "ClientsFile",
    "ClientsFileError",
    "Conversion",
    "CustomReport",
    "EmailReport",
    "Goals",
    "PlannedReport",
    "Problem",
    "default_plan",
    "load_clients",
    "parse_clients",
]
