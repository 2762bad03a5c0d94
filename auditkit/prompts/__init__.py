"""What is asked of a model, in which words, and how its answers are read.

The wording is data: ``templates.toml`` holds the questions, ``attributes.toml`` the context sentences. This package
imports only the standard library, so audits can be collected without a heavy import.
"""

from __future__ import annotations

from auditkit.prompts.answers import OUTCOMES, Answer, Outcome, error_answer, parse
from auditkit.prompts.catalog import (
    Level,
    Option,
    Placebo,
    Prompt,
    Template,
    context_sentence,
    digest,
    levels,
    placebos,
    render,
    templates,
)

__all__ = [
    "OUTCOMES",
    "Answer",
    "Level",
    "Option",
    "Outcome",
    "Placebo",
    "Prompt",
    "Template",
    "context_sentence",
    "digest",
    "error_answer",
    "levels",
    "parse",
    "placebos",
    "render",
    "templates",
]
