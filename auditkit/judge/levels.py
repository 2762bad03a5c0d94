"""The levels of one audit beside one another: their estimates drawn together, for reading and planning."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auditkit.judge.draft import Draft
from auditkit.stats.shrinkage import FEWEST, drawn_together


def draw_together(drafts: Sequence[Draft]) -> None:
    """Give the means of each part, level by level, what they are when the other levels are kept in mind."""
    for part in dict.fromkeys(draft.part for draft in drafts):
        levels = [d for d in drafts if d.part == part and not d.together]
        known = [(d, d.estimate.value, d.sd) for d in levels if d.n_clusters > 1]
        some = [
            (d, value, sd / math.sqrt(d.n_clusters)) for d, value, sd in known if value is not None and sd is not None
        ]
        if len(some) >= FEWEST:
            moved = drawn_together([value for _, value, _ in some], [error for _, _, error in some])
            for (draft, _, _), value in zip(some, moved.tolist(), strict=True):
                draft.shrunken = value
