"""PostgreSQL's types as Metabase's, and its semantic types."""

from __future__ import annotations

_BASE = {
    "bool": "type/Boolean",
    "int2": "type/Integer",
    "int4": "type/Integer",
    "int8": "type/BigInteger",
    "oid": "type/Integer",
    "float4": "type/Float",
    "float8": "type/Float",
    "numeric": "type/Decimal",
    "money": "type/Decimal",
    "text": "type/Text",
    "varchar": "type/Text",
    "bpchar": "type/Text",
    "name": "type/Text",
    "citext": "type/Text",
    "date": "type/Date",
    "time": "type/Time",
    "timetz": "type/TimeWithLocalTZ",
    "timestamp": "type/DateTime",
    "timestamptz": "type/DateTimeWithLocalTZ",
    "uuid": "type/UUID",
    "json": "type/JSON",
    "jsonb": "type/JSON",
    "inet": "type/IPAddress",
    "bytea": "type/*",
}
NUMBERS = frozenset({"type/Integer", "type/BigInteger", "type/Float", "type/Decimal"})
TEXTS = frozenset({"type/Text"})
DATE = "type/Date"
DATETIMES = frozenset({"type/DateTime", "type/DateTimeWithLocalTZ"})
WITH_ZONE = "type/DateTimeWithLocalTZ"
RELATIONS = frozenset({"type/PK", "type/FK"})
_SEMANTIC_NAMES = """
AvatarURL Birthdate CancelationDate CancelationTime CancelationTimestamp Category City Comment Company
Coordinate Cost Country CreationDate CreationTime CreationTimestamp Currency DeletionDate DeletionTime
DeletionTimestamp Description Discount Duration Email Enum GrossMargin ImageURL Income IPAddress JoinDate
JoinTime JoinTimestamp JoinTemporal Latitude Longitude Name Owner Author Percentage Price Product Quantity
Score SerializedJSON Share Source State Subscription Title URL UpdatedDate UpdatedTime UpdatedTimestamp User
ZipCode
"""
SEMANTIC = RELATIONS | {f"type/{name}" for name in _SEMANTIC_NAMES.split()}


def base_type(postgres: str) -> str:
    """The base type of a PostgreSQL type, by its name in the catalog."""
    if postgres.startswith("_"):
        return "type/Array"
    return _BASE.get(postgres, "type/PostgresEnum" if postgres.startswith("enum:") else "type/*")
