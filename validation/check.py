"""Is anything worse than what the document promises?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from validation.rates import ROUNDED, SURE, Printed, Rate, Table, read_tables, standard_error

KNOWN = "<!-- known exceptions: begin -->", "<!-- known exceptions: end -->"


@dataclass(frozen=True, slots=True)
class Known:
    """A rate that the document states is above its nominal value.

    Attributes
    ----------
    title : str
        Table.
    row : str
        Pattern for the row's key columns joined by `` / ``; ``*`` stands for anything.
    claim : str
        What happens too often.
    up_to : float
        The rate admitted to.
    """

    title: str
    row: str
    claim: str
    up_to: float

    def covers(self, title: str, rate: Rate) -> bool:
        """Whether the rate is the one meant, and no larger than admitted to (within 3 standard errors)."""
        meant = self.title == title and self.claim == rate.claim and fnmatchcase(" / ".join(rate.row), self.row)
        return meant and rate.value <= self.up_to + SURE * standard_error(self.up_to, rate.n) + ROUNDED


def read_known(document: str) -> list[Known]:
    """Return the exceptions that a document states between its two marks.

    Raises
    ------
    ValueError
        When a line of the table cannot be read.
    """
    begin, end = (re.escape(mark) for mark in KNOWN)
    section = re.search(f"{begin}(.*?){end}", document, re.DOTALL)
    found = []
    for line in section[1].splitlines() if section else ():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "table" or not set(line) - set("|- "):
            continue
        try:
            title, row, claim, up_to = cells[:4]
            found.append(Known(title, row, claim, float(up_to)))
        except ValueError:
            raise ValueError(
                f"known exception {line!r} cannot be read; write | table | row | claim | up to (a rate) | why |"
            ) from None
    return found


def problems(tables: Sequence[Table], document: str) -> list[str]:
    """Say what is worse than it should be.

    Parameters
    ----------
    tables : sequence of Table
        Measured now.
    document : str
        The committed document: its tables and its known exceptions.

    Returns
    -------
    list of str
        Rates above their nominal value by more than 3 Monte-Carlo standard errors and not among the known exceptions,
        and rates worse than the document's by more than 3 standard errors of the difference.
    """
    known, printed = read_known(document), read_tables(document)
    found: list[str] = []
    for table in tables:
        for rate in table.rates:
            name = f"{table.title}: {' / '.join(rate.row)}: {rate.claim}"
            if rate.exceeds and not any(exception.covers(table.title, rate) for exception in known):
                found.append(f"{name} {rate.value:.4f} of {rate.n} replicates, nominal {rate.nominal}")
            found += [f"{name} {said}" for said in _worse_than_printed(table.title, rate, printed)]
    return found


def _worse_than_printed(title: str, rate: Rate, printed: Printed) -> Iterator[str]:
    before = printed.get((title, rate.row, rate.claim))
    if before is None or rate.value != rate.value:
        return
    value, n = before
    pooled = (value * n + rate.value * rate.n) / (n + rate.n)
    slack = SURE * (standard_error(pooled, n) ** 2 + standard_error(pooled, rate.n) ** 2) ** 0.5 + ROUNDED
    worse = rate.value - value if rate.more_is_worse else value - rate.value
    if worse > slack:
        yield f"{rate.value:.4f} of {rate.n} replicates, the document says {value} of {n}"
