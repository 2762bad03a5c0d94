"""What audits ask, where the question comes from, and what a PASS takes: known before any model or image is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from auditkit import tasks
from auditkit.judge.decisions import unit_of
from auditkit.judge.procedures import is_change
from auditkit.judge.rules import Rules
from auditkit.judge.titles import Titles
from auditkit.planning.claims import per_cent
from auditkit.planning.least import Least, least_patients
from auditkit.protocol.model import Family, Protocol
from auditkit.report.questions import question_of
from auditkit.vocabulary import Effect
from auditkit.words import and_listed, count, declared_words, plain_name, visible

WIDTH = 100
NOT_STATED = "not stated"
FEWER = (
    "Even such answers do not pass with fewer patients, because patients who were not seen may be unlike the others. "
    "Worse answers take more: `auditkit plan` says how many."
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One audit.

    Attributes
    ----------
    family, name : str
        Of its effect; together they are its id in the record.
    title : str
        What is compared, in words.
    question : str
        The docstring of its test.
    test : str
        The test, as pytest names it, without parameters.
    sources : tuple of str
        Where the question comes from, as its ``source`` markers say; empty where they say nothing.
    hazard : str
        What harm a failure could do: the family's, in the protocol.
    own_hazard : str
        The hazard beside the perturbation itself, which reports show instead; empty where there is none.
    hazard_ids : tuple of str
        Ids of the ``hazard`` markers.
    limit : str
        What the protocol asks, in words.
    shown : bool
        Whether nothing passes or fails.
    by : str
        The column whose levels are decided one by one.
    least : Least or None
        The fewest patients that a PASS takes; None where nothing passes, or where it is not known.
    needs : str
        The option without which it is left out; empty where there is none.
    """

    family: str
    name: str
    title: str
    question: str
    test: str
    sources: tuple[str, ...]
    hazard: str
    own_hazard: str
    hazard_ids: tuple[str, ...]
    limit: str
    shown: bool
    by: str
    least: Least | None
    needs: str = ""

    @property
    def hazard_words(self) -> str:
        """The family's hazard with the ids of the markers; ``not stated`` where there is neither."""
        ids = f"[{', '.join(self.hazard_ids)}]" if self.hazard_ids else ""
        return " ".join(filter(None, (self.hazard, ids))) or NOT_STATED

    @property
    def source_words(self) -> str:
        """Where the question comes from; ``not stated`` where no marker says it."""
        return "; ".join(self.sources) or NOT_STATED

    @property
    def patients_words(self) -> str:
        """The fewest patients that a PASS takes, in words."""
        if self.shown:
            return "nothing passes or fails"
        if self.least is None:
            return "not known before the run"
        if self.least.each is None:
            return "no number is enough"
        each = f"a PASS takes at least {self.least.each} in each {plain_name(self.by).lower()}"
        together = "" if self.least.together is None else f" and {self.least.together} together"
        return f"{each}{together}, {self.least.best}"


def listed(
    effect: Effect,
    protocol: Protocol,
    *,
    question: str,
    test: str,
    sources: tuple[str, ...] = (),
    hazard_ids: tuple[str, ...] = (),
) -> Listed:
    """Describe one audit; the other parameters are as in `Listed`.

    Parameters
    ----------
    effect : Effect
        What it is parametrized with.
    protocol : Protocol
        The criteria.
    """
    family = protocol.family_of(effect)
    titles = Titles(protocol.catalogue)
    inside = any(q.task in tasks.inside() for q in effect.questions())
    return Listed(
        family=effect.family,
        name=effect.name,
        title=titles.title(effect),
        question=question,
        test=test,
        sources=sources,
        hazard="" if family is None else family.hazard,
        own_hazard=titles.hazard(effect),
        hazard_ids=hazard_ids,
        limit=_limit_words(effect, family, protocol),
        shown=family is not None and family.shown,
        by=effect.between or ("" if family is None else family.by),
        least=least_patients(effect, protocol),
        needs="--audit-embeddings" if inside else "",
    )


def _limit_words(effect: Effect, family: Family | None, protocol: Protocol) -> str:
    if family is None:
        return f"none, the protocol declares no [families.{effect.family}]"
    if family.shown:
        return "none, for information only"
    resolved = protocol.resolved(effect)
    unit, change = unit_of(resolved, Rules(protocol)), is_change(resolved)
    limits = {str(family.verb): family.limit, "in_each": family.in_each}
    said = [
        declared_words(str(family.verb), {key: v for key, v in limits.items() if v is not None}, unit, change=change)
    ]
    if family.tail is not None:
        share, beyond = per_cent(family.tail.share), family.tail.beyond
        said.append(f"at most {share} more answers jump by more than {beyond:g} {unit} than do by noise, all together")
    if family.required:
        said.append(f"required at {and_listed(family.required)}")
    return "; ".join(said)


def in_order(audits: Sequence[Listed], protocol: Protocol) -> list[Listed]:
    """Sort audits by family, in the protocol's order, and leave them otherwise as they were collected."""
    places = {name: place for place, name in enumerate(protocol.families)}
    unknown = dict.fromkeys(audit.family for audit in audits if audit.family not in places)
    places |= {name: len(places) + place for place, name in enumerate(unknown)}
    return sorted(audits, key=lambda audit: places[audit.family])


def heading(family: str, protocol: str) -> str:
    """Return the question that a family of a protocol, by its name, asks: the report's, or its name in words."""
    return (question_of(family, protocol) or (plain_name(family) or "No family",))[0]


def by_facts(audits: Iterable[Listed]) -> list[list[Listed]]:
    """Put those together that have all in common but name, title and the hazard of their own."""
    found: dict[tuple[object, ...], list[Listed]] = {}
    for audit in audits:
        found.setdefault((audit.question, *facts_of(audit)), []).append(audit)
    return list(found.values())


def by_family(audits: Iterable[Listed]) -> list[tuple[str, list[Listed]]]:
    """Divide audits that are in order by family."""
    return [(name, list(some)) for name, some in groupby(audits, key=lambda audit: audit.family)]


def facts_of(audit: Listed) -> list[tuple[str, str]]:
    """Return what is said of all audits of a group: label and words."""
    return [
        ("test", audit.test),
        ("source", audit.source_words),
        ("hazard", audit.hazard_words),
        ("limit", audit.limit),
        ("patients", audit.patients_words),
        *([("left out", f"without {audit.needs}")] if audit.needs else []),
    ]


def as_lines(audits: Sequence[Listed], protocol: Protocol) -> list[str]:
    """Return the list as plain text of at most 100 columns, names that are longer apart."""
    families = by_family(in_order(audits, protocol))
    lines = _wrapped(
        f"{count(len(audits), 'audit')} in {count(len(families), 'family', 'families')}, protocol “{protocol.name}”, "
        f"profile {protocol.profile} (alpha {protocol.alpha:g} per side)"
    )
    for name, members in families:
        lines += ["", *_wrapped(f"{heading(name, protocol.name)} [{name}]"), "─" * WIDTH]
        for place, some in enumerate(by_facts(members)):
            lines += [""] * bool(place) + _wrapped(some[0].question)
            for label, words in facts_of(some[0]):
                lines += _wrapped(f"{label + ':':<10}{words}", "  ", " " * 12)
            lines.append(f"  {count(len(some), 'audit')}:")
            titles, names = (max(len(getattr(audit, of)) for audit in some) for of in ("title", "name"))
            titles = min(titles, max(WIDTH - names - 6, 20))
            for hazard, alike in groupby(some, key=lambda audit: audit.own_hazard):
                lines += _wrapped(f"hazard: {hazard}" if hazard else "", "    ", "      ")
                lines += [line for audit in alike for line in _one(audit, titles)]
    return [*lines, "", *_wrapped(FEWER)]


def _one(audit: Listed, width: int) -> list[str]:
    """Title and name on one line where they fit."""
    title, name = visible(audit.title), visible(audit.name)
    line = f"    {title:<{width}}  {name}"
    return [line] if len(line) <= WIDTH else [*_wrapped(title, " " * 4, " " * 6), f"      {name}"]


def _wrapped(text: str, first: str = "", then: str = "") -> list[str]:
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent=first, subsequent_indent=then)
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    return wrapper.wrap(visible(text))


def as_json(audits: Sequence[Listed], protocol: Protocol) -> dict[str, Any]:
    """Return the list as JSON data; `from_json` reads its audits back."""
    return {
        "protocol": {
            "name": protocol.name,
            "profile": protocol.profile,
            "alpha": protocol.alpha,
            "sha256": protocol.sha256(),
        },
        "audits": [asdict(audit) for audit in in_order(audits, protocol)],
    }


def from_json(audit: dict[str, Any]) -> Listed:
    """Return one audit of `as_json`."""
    lists = {name: tuple(audit[name]) for name in ("sources", "hazard_ids")}
    return Listed(**{**audit, **lists, "least": audit["least"] and Least(**audit["least"])})
