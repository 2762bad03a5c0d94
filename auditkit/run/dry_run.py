"""What ``--audit-dry-run`` says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DryRun:
    """What ``--audit-dry-run`` prints.

    Attributes
    ----------
    planned, held : int
        Questions of the plan, and those whose answers the store holds.
    rate : float or None
        Questions per second of the last run of this model with this store.
    looks : int
        Looks planned; with several, the numbers are the most that may be needed.
    """

    planned: int
    held: int
    rate: float | None
    looks: int = 1

    def lines(self) -> list[str]:
        """Return the text to print."""
        missing = self.planned - self.held
        if not missing:
            time = "nothing to ask"
        elif self.rate:
            time = f"about {_duration(missing / self.rate)} at {self.rate:.2g} questions/s, this model's last rate here"
        else:
            time = "unknown: this store has no earlier run of this model to go by"
        return [
            f"questions planned:      {self.planned}",
            f"answers in the store:   {self.held}",
            f"questions to ask:       {missing}",
            f"estimated time:         {time}",
            *([f"at most: {self.looks} looks are planned, each asks what is not settled by then"] * (self.looks > 1)),
            "Nothing was asked (--audit-dry-run).",
        ]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
