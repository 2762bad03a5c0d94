"""Measured rates, their Monte-Carlo errors, and the tables they are printed in and read back from."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

SURE = 3.0
"""Standard errors beyond which a rate counts as different."""
RARE = float(stats.norm.sf(SURE))
"""Probability of that by chance."""
ROUNDED = 0.0005
"""Half of the last digit of a printed rate."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened in independent replicates.

    Attributes
    ----------
    row : tuple of str
        Names the situation, one entry per key column of its table.
    claim : str
        What happened: ``false PASS``, ``false FAIL``, ``misses below``, ...
    value : float
        Share of the replicates; of several decisions in one replicate, their mean.
    n : int
        Replicates.
    nominal : float or None
        What the rate must not exceed; None where nothing is promised.
    more_is_worse : bool
        False for powers and detections.
    """

    row: tuple[str, ...]
    claim: str
    value: float
    n: int
    nominal: float | None = None
    more_is_worse: bool = True

    @property
    def exceeds(self) -> bool:
        """Whether the rate lies above its nominal value by more than 3 Monte-Carlo standard errors.

        Counted exactly: as many events have a probability below that of 3 standard deviations of a normal number,
        0.00135. (For 5 % of 400 the normal approximation alone would call 0.4 % of the rates too high.)
        """
        if self.nominal is None or math.isnan(self.value):
            return False
        return float(stats.binom.sf(math.ceil(self.value * self.n - 1e-9) - 1, self.n, self.nominal)) < RARE


def standard_error(p: float, n: int) -> float:
    """Return the Monte-Carlo standard error of a rate p estimated from n replicates."""
    return math.sqrt(p * (1 - p) / n)


@dataclass(frozen=True, slots=True)
class Table:
    """Rates that are printed together.

    Attributes
    ----------
    title : str
        Names the table within the document.
    keys : tuple of str
        Headings of the key columns.
    rates : sequence of Rate
        In the order of the rows.
    note : str
        Put before the table.
    """

    title: str
    keys: tuple[str, ...]
    rates: Sequence[Rate]
    note: str = ""

    def rows(self) -> dict[tuple[str, ...], dict[str, Rate]]:
        """Return the rates by row and claim."""
        found: dict[tuple[str, ...], dict[str, Rate]] = {}
        for rate in self.rates:
            found.setdefault(rate.row, {})[rate.claim] = rate
        return found

    def markdown(self) -> str:
        """Return the table, folded away under its title."""
        claims = list(dict.fromkeys(rate.claim for rate in self.rates))
        lines = [_line((*self.keys, "n", *claims)), _line(["---"] * (len(self.keys) + 1 + len(claims)))]
        for row, by_claim in self.rows().items():
            n = max(rate.n for rate in by_claim.values())
            lines.append(_line((*row, str(n), *(_cell(by_claim.get(claim)) for claim in claims))))
        note = f"{self.note}\n\n" if self.note else ""
        return f"<details><summary>{self.title}</summary>\n\n{note}" + "\n".join(lines) + "\n\n</details>\n"


Printed = dict[tuple[str, tuple[str, ...], str], tuple[float, int]]
"""Value and replicates by (title, row, claim)."""


def read_tables(text: str) -> Printed:
    """Return the rates printed by `Table.markdown` in a document."""
    found: Printed = {}
    title, head = "", list[str]()
    for line in text.splitlines():
        if summary := re.match(r"<details><summary>(.*)</summary>$", line):
            title, head = summary[1], list[str]()
        elif line == "</details>":
            title = ""
        elif title and line.startswith("| "):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not head:
                head = cells
            elif set(line) - set("|- "):
                at = head.index("n")
                for claim, value in zip(head[at + 1 :], cells[at + 1 :], strict=True):
                    if value:
                        found[title, tuple(cells[:at]), claim] = (float(value.strip("*")), int(cells[at]))
    return found


def _cell(rate: Rate | None) -> str:
    if rate is None or math.isnan(rate.value):
        return ""
    return f"**{rate.value:.3f}**" if rate.exceeds else f"{rate.value:.3f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
