"""What an instance shows, without a number in it, so that two instances can be compared."""

from __future__ import annotations

from typing import Any

from tests.metabase.client import Metabase

_DASHCARD = ("row", "col", "size_x", "size_y")


def portrait(metabase: Metabase) -> dict[str, Any]:
    """Everything that matters, by name."""
    groups = {row["id"]: row["name"] for row in metabase.get("permissions/group")}
    databases = {row["id"]: row for row in metabase.get("database")["data"]}
    collections = {row["id"]: row for row in metabase.get("collection") if not row.get("personal_owner_id")}
    cards = {row["id"]: row for row in metabase.get("card")}
    dashboards = {row["id"]: metabase.get(f"dashboard/{row['id']}") for row in metabase.get("dashboard")}
    tabs = {tab["id"]: tab["name"] for row in dashboards.values() for tab in row["tabs"]}
    fields = {
        field["id"]: f"{table['schema']}.{table['name']}.{field['name']}"
        for number in databases
        for table in metabase.get(f"database/{number}/metadata")["tables"]
        for field in table["fields"]
    }
    names = {
        "targetId": {number: row["name"] for number, row in dashboards.items()},
        "tabId": tabs,
        "card_id": {number: row["entity_id"] for number, row in cards.items()},
    }

    def place(number: Any) -> str:
        row = collections.get(number) or collections.get("root", {"name": "?"})
        return str(row["name"])

    def graph(path: str, of: dict[Any, Any]) -> list[Any]:
        found = metabase.get(path)["groups"]
        return sorted(
            [groups.get(int(group), "?"), of[number], str(level)]
            for group, levels in found.items()
            for number, level in levels.items()
            if number in of
        )

    return {
        "settings": {row["key"]: row["value"] for row in metabase.get("setting") if row["value"] is not None},
        "cache": metabase.get("cache")["data"],
        "groups": sorted(groups.values()),
        "keys": [(row["name"], row["group"]["name"]) for row in metabase.get("api-key")],
        "databases": sorted((row["name"], str(sorted(row["details"].items()))) for row in databases.values()),
        "collections": sorted((row["name"], str(row.get("description"))) for row in collections.values()),
        "on databases": graph("permissions/graph", {str(number): row["name"] for number, row in databases.items()}),
        "on collections": graph("collection/graph", {str(number): row["name"] for number, row in collections.items()}),
        "cards": sorted(
            (
                place(row["collection_id"]),
                row["name"],
                row["entity_id"],
                _query(row["dataset_query"], databases, fields),
            )
            for row in cards.values()
        ),
        "dashboards": sorted(
            (
                place(row["collection_id"]),
                row["name"],
                row["description"],
                str(row["parameters"]),
                str([tab["name"] for tab in row["tabs"]]),
                str(sorted(_dashcard(one, tabs, names) for one in row["dashcards"])),
            )
            for row in dashboards.values()
        ),
    }


def _query(query: dict[str, Any], databases: dict[int, Any], fields: dict[int, str]) -> str:
    stage = query["stages"][0]
    tags = stage.get("template-tags") or {}
    told = {
        name: fields.get(tag["dimension"][2], "gone") if "dimension" in tag else tag["type"]
        for name, tag in tags.items()
    }
    return f"{databases[query['database']]['name']} {told} {stage['native']}"


def _dashcard(row: dict[str, Any], tabs: dict[int, str], names: dict[str, dict[int, str]]) -> str:
    mappings = [(one["parameter_id"], names["card_id"].get(one["card_id"])) for one in row["parameter_mappings"]]
    settings = _named(row["visualization_settings"], names)
    box = [row[key] for key in _DASHCARD]
    return str([tabs.get(row["dashboard_tab_id"]), box, names["card_id"].get(row["card_id"]), mappings, settings])


def _named(value: Any, names: dict[str, dict[int, str]]) -> Any:
    if isinstance(value, dict):
        return {key: names[key].get(one, "gone") if key in names else _named(one, names) for key, one in value.items()}
    return [_named(one, names) for one in value] if isinstance(value, list) else value
