"""When two numbers count as equal: the one tolerance of all checks."""

from __future__ import annotations

import math


def close(x: float, y: float, relative: float = 0.0, absolute: float = 0.0) -> bool:
    """Whether two results are equal but for rounding; nan equals nan, and so do infinities."""
    if x == y or (math.isnan(x) and math.isnan(y)):
        return True
    if math.isinf(x) or math.isinf(y):
        # where one rounds to inf, the other may still be just below it
        return relative > 0.0 and (x > 0) == (y > 0) and min(abs(x), abs(y)) > 1e300
    return abs(x - y) <= relative * max(abs(x), abs(y)) + absolute
