"""The effect on embeddings that may decide: does the score go with them at equal severity? Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.protocol.effects import EMBEDDING, LEVELS
from auditkit.vocabulary import Effect, Part, Perturbation, Question, Value


def tracks(
    kind: str,
    entry: str,
    levels: Sequence[int] = LEVELS,
    *,
    value: str = "",
    alike: Sequence[Perturbation] = (),
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return whether, at equal severity, the score falls more in the items whose embedding moves further.

    Spearman's correlation over items, ranks taken within severity and modality and pooled: 1 is the same order, 0 none.
    `value` as in `effects.displacement`, `alike` as in `effects.follows`. A family with ``at_least`` also says by how
    much the score must move: ``moves``.
    """
    inside, said = Question(EMBEDDING, kind), Question(task, wording)
    done = [Perturbation(entry, level) for level in levels]
    sign = 1.0 if value == "distance" else -1.0  # of a similarity, less is further
    terms = (
        *((sign, Value(inside.under(one), value)) for one in done),
        *((-1.0, Value(said.under(one))) for one in done),
        (1.0, Value(said)),
    )
    part = Part("", terms, alike=tuple(Value(said.under(one)) for one in alike))
    named = name or "-".join(filter(None, (kind, entry, value, "tracks")))
    return Effect(named, family, (part,), statistic="rank")
