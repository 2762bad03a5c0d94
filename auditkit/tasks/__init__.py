"""What is asked of a model, in which words, and how its answers are read.

The wording is data: ``templates.toml`` holds the questions, ``attributes.toml`` the context sentences. This package
imports only the standard library, so audits can be collected without a heavy import.
"""

from __future__ import annotations

from auditkit.tasks.answers import OUTCOMES, Answer, Outcome, error_answer, parse
from auditkit.tasks.catalog import (
    context_sentence,
    digest,
    levels,
    placebos,
    render,
    templates,
)
from auditkit.tasks.entries import Level, Option, Placebo, Prompt, Template
from auditkit.tasks.expected import READINGS, Expectation, Reading, expect

__all__ = [
    "OUTCOMES",
    "READINGS",
    "Answer",
    "Expectation",
    "Level",
    "Option",
    "Outcome",
    "Placebo",
    "Prompt",
    "Reading",
    "Template",
    "context_sentence",
    "digest",
    "error_answer",
    "expect",
    "levels",
    "parse",
    "placebos",
    "render",
    "templates",
]
