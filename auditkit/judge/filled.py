"""Where missing values are put, and what is said when a verdict hangs on them."""

from __future__ import annotations

from typing import Literal, get_args

Side = Literal["lowest", "highest"]
SIDES: tuple[Side, ...] = get_args(Side)
"""The ends at which missing values are put: a PASS must survive the bad one, and a FAIL the harmless one."""
HANGS_ON_MISSING = "with the missing answers at the worst they can be, the limit is no longer met"
HARMLESS = "with the missing answers at the most harmless they can be, it is not shown to be broken"
