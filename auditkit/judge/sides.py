"""Whose answers an effect takes: one model's, or the difference of the same between two."""

from __future__ import annotations

from dataclasses import replace

from auditkit.vocabulary import MODEL, Effect, Part, Value


def mirrored(effect: Effect) -> tuple[str, str] | None:
    """Return the two roles of which an effect is the difference, first minus second; None for anything else."""
    found = {pair_of(part) for part in effect.parts}
    return found.pop() if len(found) == 1 else None


def one_side(effect: Effect) -> Effect:
    """Return a difference between two models as what the first measures, and what one model answers as if asked of the
    audited one; under the name that its author gave that.
    """
    pair, roles = mirrored(effect), {question.role for question in effect.compared()}
    if pair is None and len(roles) > 1:
        return effect
    first = pair[0] if pair is not None else roles.pop()
    parts = tuple(
        replace(part, terms=_as_model(part, first), alike=tuple(map(_asked, part.alike)), provided=None)
        for part in effect.parts
    )
    return replace(effect, parts=parts, name=_own_name(effect.name, first, pair))


def _own_name(name: str, first: str, pair: tuple[str, str] | None) -> str:
    """The name before `Effect.by` and `Effect.minus` put theirs to it; a name of its author's own stays."""
    if pair is None:
        return name.removesuffix(f"@{first}")
    if name.endswith(f"-behind-{first}"):
        return name.removesuffix(f"-behind-{first}")
    own, versus, other = name.partition("-vs-")
    own = own.removesuffix(f"@{first}")
    return own if versus and other in (own, pair[1], f"{own}@{pair[1]}") else name


def pair_of(part: Part) -> tuple[str, str] | None:
    """Return the two roles of which a part is the difference, first minus second; None for anything else."""
    roles = list(dict.fromkeys(value.question.role for _, value in part.terms))
    if len(roles) != 2:
        return None
    first, second = ({_asked(v): w for w, v in part.terms if v.question.role == role} for role in roles)
    same = first.keys() == second.keys() and all(first[value] == -weight for value, weight in second.items())
    return (roles[0], roles[1]) if same else None


def _as_model(part: Part, role: str) -> tuple[tuple[float, Value], ...]:
    return tuple((weight, _asked(value)) for weight, value in part.terms if value.question.role == role)


def _asked(value: Value) -> Value:
    """The same value of the audited model's answers."""
    return replace(value, question=replace(value.question, role=MODEL))
