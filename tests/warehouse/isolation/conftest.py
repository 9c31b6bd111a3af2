"""An agency on each kind of server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.warehouse.isolation.agency import Agency, make_agency
from warehouse.connect import Warehouse


@pytest.fixture
def agency(warehouse: Warehouse) -> Iterator[Agency]:
    made = make_agency(warehouse)
    yield made
    made.forget_roles()
