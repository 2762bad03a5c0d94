"""How effects are made: one constructor for each question an audit asks. Standard library only.

Each takes ``family=``, the family of the protocol that limits the effect, and ``name=`` where the name it makes for
itself is not the one wanted. What they give can be combined: `Effect.under`, `Effect.minus`, `Effect.where`,
`Effect.by`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise

from auditkit import perturbations
from auditkit.vocabulary import CLEAN, CROSSED, Condition, Effect, Part, Perturbation, Question, Value, condition_name

LEVELS = (1, 2, 3, 4, 5)
PER_STEP = "severity step"
EMBEDDING = "embedding"
"""The task that asks nothing: what the model holds inside is compared."""


def corruptions(tier: str = "") -> tuple[str, ...]:
    """Return the names of the corruptions that auditkit ships, in the catalogue's order; of one tier where given."""
    return tuple(entry.name for entry in perturbations.corruptions(tier))


def mean(task: str = "", value: str = "", *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return the mean of one value of a task's answers; the protocol's score by default."""
    question = Question(task, wording)
    named = name or "-".join(part for part in (question.words or "score", value) if part)
    return Effect(named, family, (Part("", ((1.0, Value(question, value)),)),))


def share(value: str, task: str = "", *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return a share of items, 0-1: ``"refused"``, ``"unusable"``, or ``"lost"``, which is either of the two."""
    return mean(task, value, wording=wording, name=name, family=family)


def change(
    *treated: Perturbation,
    against: Sequence[Perturbation] = (),
    alike: Sequence[Perturbation] = (),
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the mean change of the score under perturbations, against the item as it is or under others.

    ``alike`` names perturbations that mean the same, such as sentences that say nothing, or asking ``again``. How far
    the answers under them lie apart is the model's own noise, which a family with a ``tail`` needs to know.
    """
    score = mean(task, wording=wording, family=family)
    others = _values(Question(task, wording), alike)
    found = _beside(score.under(*treated).minus(score.under(*against)), others)
    versus = f"-vs-{condition_name(tuple(against))}" if against else ""
    return found.named(name or condition_name(tuple(treated)) + versus)


def departure(
    *treated: Perturbation,
    alike: Sequence[Perturbation],
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the mean change of the score under perturbations, against the mean of several that mean the same.

    The mean of five answers scatters less than one: the difference has 0.6 times the variance.
    """
    score, others = mean(task, wording=wording, family=family), _values(Question(task, wording), alike)
    controls = Effect("", family, (Part("", tuple((1 / len(others), value) for value in others)),))
    found = _beside(score.under(*treated).minus(controls), others)
    return found.named(name or f"{condition_name(tuple(treated))}-vs-others")


def _values(question: Question, perturbations: Sequence[Perturbation]) -> tuple[Value, ...]:
    return tuple(Value(question.under(perturbation)) for perturbation in perturbations)


def _beside(found: Effect, alike: tuple[Value, ...]) -> Effect:
    return replace(found, parts=tuple(replace(part, alike=alike) for part in found.parts))


def falls(
    entry: str,
    levels: Sequence[int] = LEVELS,
    *,
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return by how much the score falls per step of severity: least squares over the clean item and all levels.

    An item without any answer counts as no fall.
    """
    steps = (0, *levels)
    middle = sum(steps) / len(steps)
    spread = sum((step - middle) ** 2 for step in steps)
    questions = [*_at(entry, levels, task, wording), Question(task, wording)]
    weights = [(middle - step) / spread for step in (*levels, 0)]
    terms = tuple((weight, Value(question)) for weight, question in zip(weights, questions, strict=True))
    return Effect(name or entry, family, (Part("", terms, unknown=0.0),), per=PER_STEP)


def rises(
    entry: str,
    levels: Sequence[int] = LEVELS,
    *,
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the mean change of the score at every level, each a decision of its own."""
    clean = Question(task, wording)
    parts = tuple(
        Part(f"severity {level}", _difference(question, clean))
        for level, question in zip(levels, _at(entry, levels, task, wording), strict=True)
    )
    return Effect(name or entry, family, parts)


def steps(
    entry: str,
    levels: Sequence[int] = LEVELS,
    *,
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the mean change of the score from every level to the next, the clean item first."""
    ladder = [Question(task, wording), *_at(entry, levels, task, wording)]
    parts = tuple(
        Part(f"severity {low} to {high}", _difference(after, before))
        for (low, high), (before, after) in zip(pairwise((0, *levels)), pairwise(ladder), strict=True)
    )
    return Effect(name or entry, family, parts)


def areas(
    entry: str,
    levels: Sequence[int] = LEVELS,
    *,
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the area under the ROC curve of clean items against those at every level."""
    found = rises(entry, levels, task=task, wording=wording, name=name, family=family)
    return Effect(found.name, family, found.parts, statistic="area")


def wordings(task: str, among: Sequence[str], value: str = "", *, name: str = "", family: str = "") -> Effect:
    """Return the mean differences of one value between every two wordings of a task; the score by default."""
    questions = [Question(task, wording) for wording in among]
    parts = tuple(
        Part(f"{second.words} vs {first.words}", _difference(second, first, value))
        for first, second in combinations(questions, 2)
    )
    return Effect(name or "-".join(filter(None, (task, value))), family, parts)


def differs(
    *treated: Perturbation,
    alike: Sequence[Perturbation] = (),
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the share of items whose answer under perturbations is another than without them.

    ``alike`` names perturbations that mean the same, such as asking ``again``: the share of items whose answer is
    another under them, which is the model's own noise, is taken off.
    """
    found = change(*treated, alike=alike, task=task, wording=wording, name=name, family=family)
    return Effect(found.name, family, found.parts, statistic="differs")


def calibration(
    levels: Sequence[int] = (3, 4, 5), *, task: str = "", wording: str = "", name: str = "", family: str = ""
) -> Effect:
    """Return how far the score is from the chance that an item is undamaged: the expected calibration error.

    Every item counts clean and once degraded, by a corruption at one of these levels that is drawn for it.
    """
    clean = Question(task, wording)
    degraded = [question for entry in corruptions() for question in _at(entry, levels, task, wording)]
    terms = ((1.0, Value(clean)), *((-1.0, Value(question)) for question in degraded))
    return Effect(name or f"{clean.words or 'score'}-as-chance", family, (Part("", terms),), statistic="calibration")


def between(column: str | Sequence[str], effect: Effect, *, name: str = "", family: str = "") -> Effect:
    """Return how far the levels of an item's column lie apart in an effect: sex, site, scanner.

    ``within`` a limit every two levels are alike; a family with ``shown = true`` shows the largest gap. Of two columns
    (``"sex*site"``, or the names one by one) the levels are every level of the one within every level of the other.

    Examples
    --------
    >>> str(between("site", share("refused")))
    'score-refused-by-site'
    >>> str(between(("sex", "site"), mean()))
    'score-by-sex-and-site'
    """
    found = effect.among(column if isinstance(column, str) else CROSSED.join(column))
    return found.named(name or found.name, family)


def versus(effect: Effect, role: str = "sibling", *, name: str = "", family: str = "") -> Effect:
    """Return an effect's difference to the same of another model, item by item: the audited one minus the other.

    The other is named for its role on the command line: ``--audit-with=sibling=NAME``. ``within`` a limit the two are
    alike, ``at_least`` a limit the audited one has so much more, and ``at_most`` a limit it has no more than so much
    more: of lost answers, or of anything that should be small. For what should be large see `behind`.
    """
    found = effect.minus(effect.by(role))
    return found.named(name or f"{effect.name}-vs-{role}", family)


def behind(effect: Effect, role: str = "sibling", *, name: str = "", family: str = "") -> Effect:
    """Return by how much the audited model lies below another, item by item: the other minus the audited one.

    ``at_most`` a limit the audited one is no worse than by so much, where much is good.
    """
    found = effect.by(role).minus(effect)
    return found.named(name or f"{effect.name}-behind-{role}", family)


def displacement(
    kind: str, entry: str, levels: Sequence[int] = LEVELS, *, value: str = "", name: str = "", family: str = ""
) -> Effect:
    """Return how alike the model's embedding of the item at every level is to that of the item as it is.

    Cosine similarity, each level a part of its own; 1 is no change. ``value="distance"`` is the Euclidean distance in
    units of the mean norm, 0 to 2, where 0 is no change. `kind` is one of those that the model lists (``"vision"``,
    ``"language"``), or a wording of ``[tasks.embedding.wordings]`` in the protocol. Nothing is asked.
    """
    parts = tuple(
        Part(f"severity {level}", ((1.0, Value(question, value)),))
        for level, question in zip(levels, _at(entry, levels, EMBEDDING, kind), strict=True)
    )
    return Effect(name or "-".join(filter(None, (kind, entry, value))), family, parts)


def follows(
    kind: str,
    entry: str,
    levels: Sequence[int] = LEVELS,
    *,
    alike: Sequence[Perturbation] = (),
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return whether the score falls in step with the model's embedding moving away from that of the item as it is.

    Within the item, the correlation of the two over the item as it is and all levels: 1 is in step, 0 not at all. It is
    only shown: declare its family with ``shown = true``. ``alike`` names perturbations that mean the same: how far the
    scores under them lie apart is the noise within which a score stays.
    """
    inside = [Question(EMBEDDING, kind), *_at(entry, levels, EMBEDDING, kind)]
    said = [Question(task, wording), *_at(entry, levels, task, wording)]
    terms = tuple((1.0, Value(question)) for question in (*inside, *said))
    parts = (Part("", terms, alike=_values(Question(task, wording), alike)),)
    return Effect(name or f"{kind}-{entry}-follows", family, parts, statistic="follows")


def errors_over(
    value: str,
    entries: Sequence[str],
    levels: Sequence[int] = LEVELS,
    *,
    reference: str | Sequence[float] = "",
    right: bool = False,
    relative: bool = False,
    task: str = "",
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the errors under corruptions in units of others: one ratio of sums over all corruptions and levels (mCE).

    Parameters
    ----------
    value : str
        What counts an error, such as ``"lost"``; with ``right=True`` what counts a right answer, such as
        ``"correct"``, where an error is what it lacks of the top of its range.
    reference : str or sequence of float
        By default the model's own errors on the clean item. A role: another model's errors under the same. Numbers: an
        error above 0 for each corruption that was fixed beforehand, such as a published one; then it is the mean over
        the corruptions of error / fixed.
    relative : bool
        Take the errors on the clean item off on either side (relative mCE).

    Raises
    ------
    ValueError
        Fixed errors that are not one for each corruption and above 0; ``relative`` without another's errors.
    """
    if relative and not reference:
        raise ValueError("relative errors are held against another's: give reference=")
    each = _weights(reference, len(entries), len(levels))
    questions = [_at(entry, levels, task, wording) for entry in entries]
    ours = [(weight, Value(question, value)) for weight, some in zip(each, questions, strict=True) for question in some]
    clean = (-sum(weight for weight, _ in ours), Value(Question(task, wording), value))
    ours += [clean] * relative
    theirs = _theirs(reference, ours) if reference else [clean]
    named = name or f"{'relative-' * relative}errors-over-{_units(reference)}"
    return Effect(named, family, (Part("", (*ours, *theirs)),), statistic="shortfall ratio" if right else "ratio")


def _weights(reference: str | Sequence[float], n: int, levels: int) -> list[float]:
    """How often an error under each corruption counts: once, or in a mean over all in units of the fixed ones."""
    if isinstance(reference, str):
        return [1.0] * n
    if len(reference) != n or not all(error > 0 for error in reference):
        raise ValueError(f"give one fixed error above 0 for each of {n} corruptions; got {list(reference)}")
    return [1 / error / n / levels for error in reference]


def _theirs(reference: str | Sequence[float], ours: Sequence[tuple[float, Value]]) -> list[tuple[float, Value]]:
    """The same answers of another, taken off; nothing where its errors are in the weights already."""
    if not isinstance(reference, str):
        return []
    return [(-weight, replace(v, question=replace(v.question, role=reference))) for weight, v in ours]


def _units(reference: str | Sequence[float]) -> str:
    """In whose errors they are counted, in one word."""
    return (reference or CLEAN) if isinstance(reference, str) else "fixed"


def agreement(first: Value, second: Value, *, name: str = "", family: str = "") -> Effect:
    """Return how far two ratings of an item on the same scale agree beyond chance: quadratic weighted kappa."""
    named = name or f"{first.question.words or 'score'}-agrees-with-{second.question.words or 'score'}"
    return Effect(named, family, (Part("", ((1.0, first), (-1.0, second))),), statistic="agreement")


def wording_share(task: str, among: Sequence[str], *, value: str = "", name: str = "", family: str = "") -> Effect:
    """Return the share of what a value varies by, over items and wordings, that is due to the wording.

    It is only shown: declare its family with ``shown = true``.
    """
    asked = [Question(task, wording) for wording in among]
    return prompt_share(asked, value=value, name=name or f"{task}-by-wording", family=family)


def prompt_share(asked: Sequence[Question], *, value: str = "", name: str, family: str = "") -> Effect:
    """Return the `wording_share` among questions of several tasks, whose values have one range: scales of one question.

    It is only shown: declare its family with ``shown = true``.
    """
    terms = tuple((1.0, Value(question, value)) for question in asked)
    return Effect(name, family, (Part("", terms),), statistic="wording")


def _at(entry: str, levels: Sequence[int], task: str, wording: str) -> list[Question]:
    return [Question(task, wording, _only(Perturbation(entry, level))) for level in levels]


def _only(perturbation: Perturbation) -> Condition:
    return (perturbation,)


def _difference(treated: Question, control: Question, value: str = "") -> tuple[tuple[float, Value], ...]:
    return ((1.0, Value(treated, value)), (-1.0, Value(control, value)))
