"""Counter-based random numbers: a hash of (seed, object, day, purpose) instead of a generator with state.

What belongs here: splitmix64, and uniforms and normals made from it. What does not: any meaning of a draw.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_S30, _S27, _S31, _S11, _S32 = (np.uint64(k) for k in (30, 27, 31, 11, 32))
_LOW = np.uint64(0xFFFFFFFF)


def mix(x: U64) -> U64:
    """The finaliser of splitmix64, element by element."""
    x = x ^ (x >> _S30)
    x = x * _M1
    x ^= x >> _S27
    x *= _M2
    x ^= x >> _S31
    return x


@lru_cache(maxsize=256)
def _salt(purpose: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=8).digest(), "little"))


def scalar_key(*parts: Any) -> int:
    """A 64-bit key of any printable parts, the same in every process (Python's own `hash` is not)."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def keys(base: int, count: int) -> U64:
    """`count` keys of numbered children of a base key."""
    return mix(np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN + np.uint64(base))


def cross(objects: U64, counters: npt.NDArray[Any]) -> U64:
    """Keys of (object, counter) pairs such as (ad, day); the two arrays broadcast."""
    return mix(objects + counters.astype(np.uint64) * _GOLDEN)


def derive(key: U64, purpose: str) -> U64:
    """An independent key for a named purpose."""
    return mix(key ^ _salt(purpose))


def uniform(key: U64, purpose: str | None = None) -> F64:
    """Uniform numbers in [0, 1)."""
    h = key if purpose is None else derive(key, purpose)
    return (h >> _S11).astype(np.float64) * 2.0**-53


def normal(key: U64, purpose: str | None = None) -> F64:
    """Standard normal numbers (Box-Muller on the two halves of the hash)."""
    h = key if purpose is None else derive(key, purpose)
    radius = np.sqrt(-2.0 * np.log(((h >> _S32).astype(np.float64) + 0.5) * 2.0**-32))
    return radius * np.cos((h & _LOW).astype(np.float64) * (2.0 * np.pi * 2.0**-32))


def lognormal(key: U64, purpose: str, sigma: float | F64) -> F64:
    """Log-normal factors with mean one."""
    return np.exp(sigma * normal(key, purpose) - 0.5 * np.square(sigma))


def spread(key: U64, purpose: str, low: float, high: float) -> F64:
    """Uniform numbers between two bounds."""
    return low + (high - low) * uniform(key, purpose)


def log_spread(key: U64, purpose: str, low: float, high: float) -> F64:
    """Numbers between two positive bounds, uniform on the log scale."""
    return np.exp(spread(key, purpose, float(np.log(low)), float(np.log(high))))


def pick(key: U64, purpose: str, count: int) -> I64:
    """Integers from 0 to `count - 1`."""
    return (uniform(key, purpose) * count).astype(np.int64)
