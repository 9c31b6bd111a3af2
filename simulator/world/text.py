"""Numbers to text, a column at a time.

What belongs here: the form of numbers in Meta's JSON. What does not: which numbers a row has.

Numbers go through orjson a whole column at once and are cut apart again: several times faster than formatting each.
"""

from __future__ import annotations

import numpy as np
import orjson

from simulator.world.hashing import F64, I64


def integers(values: I64) -> list[str]:
    """Decimal texts of whole numbers."""
    if not len(values):
        return []
    array = np.ascontiguousarray(values, dtype=np.int64)
    return orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode().split(",")


def decimals(values: F64) -> list[str]:
    """Decimal texts with at most six decimals and no trailing zeros, as Meta writes ratios and money."""
    if not len(values):
        return []
    array = np.round(np.ascontiguousarray(values, dtype=np.float64), 6)
    text = orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode()
    if "e" in text:
        return [f"{value:.6f}".rstrip("0").rstrip(".") for value in array.tolist()]
    return (text + ",").replace(".0,", ",")[:-1].split(",")


def money(minor_values: I64, minor: int) -> list[str]:
    """Major units from minor units; currencies without a minor unit have no decimals."""
    return integers(minor_values) if minor == 1 else decimals(minor_values / minor)
