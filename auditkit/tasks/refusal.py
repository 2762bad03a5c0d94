"""Recognise that a model declines to answer."""

from __future__ import annotations

import re

_TASK = (
    r"(?:rat(?:e|ing)|assess|evaluat|judg|scor(?:e|ing)|grad(?:e|ing)|determin|answer|provid|give|giving|help|assist"
    r"|analy[sz]|interpret|comment|diagnos|comply|fulfil|respond|do that|do this|make"
    r"|(?:view|see|access|open|process)(?:ing)? (?:(?:the|this|that|your|any|an) )?(?:attached |medical )?"
    r"(?:image|picture|photo|scan|file|attachment))"
)
_CANNOT = (
    r"(?:can ?not|can't|could ?n[o']t|couldn't|(?:am |'m )?(?:un|not )able to|won't|will not|do not feel able to"
    r"|(?:am |'m )not (?:allowed|permitted|qualified|comfortable|authori[sz]ed|equipped|trained|designed)"
    r"|(?:must|have to) (?:decline|refuse)|decline|refuse)"
)
# First person, or a bare "Cannot ..." / "Unable to ..." that opens a sentence. The gaps are bounded: linear time.
_DIRECT = re.compile(
    rf"(?:\b(?:i|we)\b[ ,']?[^.;:!?\n]{{0,30}}?{_CANNOT}|(?:^|[.!?\n,]|\bbut\b|\bsorry\b)\s{{0,5}}{_CANNOT})"
    rf"\b[^.;:!?\n]{{0,40}}?\b{_TASK}",
    re.I,
)
_OTHER_TASK = re.compile(r"(?:diagnos|medical advice|clinical|treatment|interpret(?:ation)? of)", re.I)
_SOFT = re.compile(
    r"\bas an? (?:ai|artificial|large language|language|vision|text)\b"
    r"|\bi(?:'m| am) (?:only |just )?an? (?:ai|language model|large)"
    r"|\bi(?:'m| am) (?:so |very |really )?sorry\b|^\W*sorry\b|\bi apologi[sz]e\b|\bmy apologies\b"
    r"|\bi(?:'m| am) not an? (?:\w+ )?(?:doctor|physician|radiologist|professional|clinician|expert)"
    r"|\bno image (?:was|has been|is|appears)\b|\bplease (?:upload|provide|attach|share|consult)\b"
    r"|\bagainst my (?:guidelines|policy|programming)"
    r"|\bi (?:do not|don't) (?:see|have access to) (?:an|any|the) (?:image|picture|attachment)"
    r"|\b(?:cannot|can not|can't) be (?:assessed|rated|scored|graded|judged|determined|evaluated)\b"
    r"|\bunable to assess\b",
    re.I,
)


def declines(text: str) -> bool:
    """Whether the text says outright that it will not, or cannot, do what was asked."""
    found = _DIRECT.search(text)
    # Declining to diagnose is no refusal to judge an image's quality; whoever says only that is caught by `hedges`.
    return found is not None and _OTHER_TASK.search(text, found.start(), min(len(text), found.end() + 40)) is None


def hedges(text: str) -> bool:
    """Whether the text has the words of a refusal, which an answer beside them outweighs."""
    return _DIRECT.search(text) is not None or _SOFT.search(text) is not None
