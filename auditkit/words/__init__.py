"""The words of verdicts and reports: numbers, names and limits are written in one way everywhere.

Below judge and report, so that a sentence of the record and the table beside it cannot disagree.
"""

from auditkit.words.beside import beside_name, beside_sentences, how_given
from auditkit.words.formats import format_words
from auditkit.words.limits import axis_words, declared_words, limit_words, region, region_words, scale_in, scale_of
from auditkit.words.lost import damaged_sentence, not_embedded_sentence
from auditkit.words.names import (
    MODALITY_LABELS,
    OUTCOME_NAMES,
    SHOWN,
    SYMBOLS,
    VERDICT_ORDER,
    and_listed,
    audit_name,
    column_name,
    modality_label,
    modality_name,
    plain_name,
    some_of,
    stratum_name,
    verdict_word,
)
from auditkit.words.numbers import (
    DASH,
    MINUS,
    NO_VALUE,
    PER_STEP,
    Scale,
    count,
    fixed,
    interval,
    number,
    p_equals,
    p_value,
    patients,
    percent,
    whole,
)
from auditkit.words.people import (
    not_asked_sentence,
    noted,
    people_sentences,
    unread_sentence,
    without_picture_sentence,
)
from auditkit.words.text import cut, shortened, visible
from auditkit.words.times import duration, moment

__all__ = [
    "DASH",
    "MINUS",
    "MODALITY_LABELS",
    "NO_VALUE",
    "OUTCOME_NAMES",
    "PER_STEP",
    "SHOWN",
    "SYMBOLS",
    "VERDICT_ORDER",
    "Scale",
    "and_listed",
    "audit_name",
    "axis_words",
    "beside_name",
    "beside_sentences",
    "column_name",
    "count",
    "cut",
    "damaged_sentence",
    "declared_words",
    "duration",
    "fixed",
    "format_words",
    "how_given",
    "interval",
    "limit_words",
    "modality_label",
    "modality_name",
    "moment",
    "not_asked_sentence",
    "not_embedded_sentence",
    "noted",
    "number",
    "p_equals",
    "p_value",
    "patients",
    "people_sentences",
    "percent",
    "plain_name",
    "region",
    "region_words",
    "scale_in",
    "scale_of",
    "shortened",
    "some_of",
    "stratum_name",
    "unread_sentence",
    "verdict_word",
    "visible",
    "whole",
    "without_picture_sentence",
]
