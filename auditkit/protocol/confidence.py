"""How effects about a model's confidence are made, for tasks that have a truth. Standard library only.

The confidence in an answer is the share of the probability on the declared answers that the given one has. So all of
them take a back end that gives log-probabilities; of a model without them nothing is measured. Names and families are
given as in `auditkit.protocol.effects`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from auditkit.protocol.effects import mean
from auditkit.tasks import BRIER, CHANCE, CONFIDENCE, CORRECT
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import CLEAN, Condition, Effect, Part, Perturbation, Question, Value, condition_name


def overconfidence(task: str, *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return by how much the confidence in the answers lies above the share of right ones: calibration in the large.

    ``over.under(p).minus(over)`` is how much it grows under a perturbation, item by item.
    """
    sure = mean(task, CONFIDENCE.name, wording=wording, family=family)
    found = sure.minus(mean(task, CORRECT.name, wording=wording))
    return found.named(name or f"{Question(task, wording).words}-overconfidence")


def brier(task: str, *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return the mean Brier score of the probabilities, 0 (sure and right) to 1 (sure and wrong).

    ``score.under(p).minus(score)`` is how much worse they get under a perturbation, item by item.
    """
    return mean(task, BRIER.name, wording=wording, name=name, family=family)


def grows(effect: Effect, *treated: Perturbation, name: str = "", family: str = "") -> Effect:
    """Return by how much an effect, such as `overconfidence`, is larger under perturbations, item by item."""
    found = effect.under(*treated).minus(effect)
    return found.named(name or f"{effect.name}-{condition_name(treated)}", family)


def kept(task: str, share: float, *, wording: str = "", name: str = "", family: str = "") -> Effect:
    """Return the share of right answers among that share of items of which the model is most confident.

    Of items that it is equally confident of, as many as fit are counted in proportion. An answer that was declined or
    cannot be used comes last, and counts as wrong where it is among them.

    Raises
    ------
    ValueError
        A share that is not above 0 and at most 1.
    """
    question = Question(task, wording)
    return Effect(
        name or f"{question.words}-kept-{_percent(share)}", family, (Part("", _kept(question, share)),), "kept"
    )


def kept_loss(
    *treated: Perturbation, task: str, share: float, wording: str = "", name: str = "", family: str = ""
) -> Effect:
    """Return by how much fewer answers are right among the most confident share under perturbations.

    Either side keeps the items that the model is most confident of there.
    """
    question = Question(task, wording)
    lost = [(-weight, value) for weight, value in _kept(question.under(*treated), share)]
    part = Part("", (*_kept(question, share), *lost))
    named = name or f"{question.words}-kept-{_percent(share)}-{condition_name(treated)}"
    return Effect(named, family, (part,), "kept")


def risk(
    task: str, conditions: Sequence[Condition] = ((),), *, wording: str = "", name: str = "", family: str = ""
) -> Effect:
    """Return the mean share of right answers over all shares of items kept, and its curve: risk against coverage.

    One less this mean is the area under the curve of the risk. A part for every condition. It is only shown: declare
    its family with ``shown = true``.
    """
    question = Question(task, wording)
    parts = tuple(
        Part(_label(condition, conditions), _kept(question.under(*condition), 1.0)) for condition in conditions
    )
    return Effect(name or f"{question.words}-risk", family, parts, "risk")


def reliability(
    task: str, conditions: Sequence[Condition] = ((),), *, wording: str = "", name: str = "", family: str = ""
) -> Effect:
    """Return how far the confidence is from the share of right answers, band by band: the expected calibration error.

    A part for every condition. It is only shown: declare its family with ``shown = true``.
    """
    question = Question(task, wording)
    parts = tuple(
        Part(_label(condition, conditions), _confidence(question.under(*condition))) for condition in conditions
    )
    return Effect(name or f"{question.words}-reliability", family, parts, "reliability")


def covered(
    task: str,
    answers: Sequence[str],
    *treated: Perturbation,
    share: float = 0.9,
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the share of items whose right answer is among those that a threshold leaves, which was to be `share`.

    The threshold is chosen on one half of the patients, about images as they are, and used on the other half, under the
    perturbations (split conformal prediction). An item is referred to a person unless one answer is left.

    Parameters
    ----------
    answers : sequence of str
        All answers of the task.
    """
    return _by_threshold("covered", task, answers, treated, share, wording, name, family)


def referred(
    task: str,
    answers: Sequence[str],
    *treated: Perturbation,
    share: float = 0.9,
    wording: str = "",
    name: str = "",
    family: str = "",
) -> Effect:
    """Return the share of items that the threshold of `covered` refers to a person, and that of every class."""
    found = _by_threshold("referred", task, answers, treated, share, wording, name, family)
    [every] = found.parts
    of_class = (replace(every, label=answer, where=(COLUMN_OF + task, answer)) for answer in answers)
    return replace(found, parts=(replace(every, label="all"), *of_class))


def _by_threshold(
    statistic: str,
    task: str,
    answers: Sequence[str],
    treated: Condition,
    share: float,
    wording: str,
    name: str,
    family: str,
) -> Effect:
    _check(share)
    question = Question(task, wording)
    terms = [(share, Value(question.under(*treated), f"{CHANCE}{answer}")) for answer in answers]
    # The threshold is chosen where nothing is done.
    terms += [(-share, Value(question, f"{CHANCE}{answer}")) for answer in answers] if treated else []
    named = name or f"{question.words}-{statistic}-{condition_name(treated) or CLEAN}"
    return Effect(named, family, (Part("", tuple(terms)),), statistic)


def _kept(question: Question, share: float) -> tuple[tuple[float, Value], ...]:
    """The share stands as the weight of the confidence."""
    _check(share)
    return ((share, Value(question, CONFIDENCE.name)), (1.0, Value(question, CORRECT.name)))


def _confidence(question: Question) -> tuple[tuple[float, Value], ...]:
    return ((1.0, Value(question, CONFIDENCE.name)), (-1.0, Value(question, CORRECT.name)))


def _label(condition: Condition, among: Sequence[Condition]) -> str:
    return condition_name(condition) if len(among) > 1 else ""


def _check(share: float) -> None:
    if not 0 < share <= 1:
        raise ValueError(f"a share above 0 and at most 1 is needed, got {share!r}; write 80 % as 0.8")


def _percent(share: float) -> str:
    return f"{100 * share:g}"
