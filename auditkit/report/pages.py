"""How every page is made from its templates: all text from elsewhere is made visible and escaped."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from auditkit import words
from auditkit.report.figures.svg import INKS

_WORDS = (
    "OUTCOME_NAMES", "PER_STEP", "SYMBOLS", "VERDICT_ORDER", "audit_name", "beside_name", "beside_sentences",
    "count", "cut", "damaged_sentence", "duration", "fixed", "format_words", "how_given", "interval",
    "limit_words", "modality_name", "moment", "not_asked_sentence", "not_embedded_sentence", "p_value",
    "people_sentences", "percent", "plain_name", "region", "region_words", "scale_in", "scale_of", "shortened",
    "stratum_name", "unread_sentence", "verdict_word", "whole",
)  # fmt: skip


def environment(package: str, **names: Any) -> Environment:
    """Return the templates of a package, with the report's words and `names` known to all of them.

    Parameters
    ----------
    package : str
        Package with a folder ``templates``.
    **names
        Functions and constants of these pages.
    """
    templates = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        lstrip_blocks=True,
        optimized=False,  # a page is rendered once: folding constants takes longer than it saves
    )
    templates.globals.update({name: getattr(words, name) for name in _WORDS})
    templates.globals.update(INKS=INKS, **names)
    return templates


def _finalize(value: object) -> object:
    """Last stop of every value on its way into the page: foreign text is made visible, then Jinja escapes it."""
    if isinstance(value, Markup):
        return value
    return words.visible(value) if isinstance(value, str) else value
