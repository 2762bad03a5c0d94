"""From a score to a text in the format that a template asks for: the way back from `tasks.parse`."""

from __future__ import annotations

from auditkit import tasks
from auditkit.tasks.choice import ANSWERS, GRADES
from auditkit.tasks.numeric import SCALES


def say(score: float, template: str) -> str:
    """Return the answer that gives a score in the words of a template.

    Parameters
    ----------
    score : float
        Points; outside 0-100 the answer leaves the declared scale, where the format has one.
    template : str
        Template id.

    Returns
    -------
    str
        ``"73.5"``, ``"4/5"``, ``"good"``, ``"yes"`` or an option's letter: the nearest that the format can say. Where
        options have labels instead of scores, always the first.
    """
    asked = tasks.templates()[template]
    if asked.format == "score_100":
        # Between 0 and 1 a text could be read as a share of one, so a whole number is said.
        return f"{round(score, 0 if abs(score) < 1 else 2) + 0.0:.10g}"
    if asked.format in SCALES:
        scale = SCALES[asked.format]
        return f"{round(scale.low + score * (scale.high - scale.low) / 100)}/{scale.high:g}"
    if asked.format == "options":
        scored = {option.letter: option.score for option in asked.options if option.score is not None}
        return _nearest(scored, score) if scored else asked.options[0].letter
    words = GRADES if asked.format == "grade" else ANSWERS
    return _nearest({word: value for word, value in words.items() if value is not None}, score)


def _nearest(values: dict[str, float], score: float) -> str:
    return min(values, key=lambda name: (abs(values[name] - score), name))
