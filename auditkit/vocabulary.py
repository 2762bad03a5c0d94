"""The vocabulary of an audit: what is changed, what is compared, and what is asked.

A `Condition` says what is done to an image or to the words around it. A `Probe` is one question to the model: one
image under one condition with one prompt template. The comparisons (`Contrast`, `Series`, `Wordings`, `Group`) are
what audits are parametrized with; each can list the probes it needs, so the plan is known before the first audit runs.

This module is imported when audits are collected: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

CLEAN = "clean"
NO_CONTEXT = "none"


@dataclass(frozen=True, order=True, slots=True)
class Condition:
    """What is changed about one question; the default is the unchanged image with no extra words.

    Attributes
    ----------
    corruption : str
        A name of the corruption catalogue, or ``"clean"``.
    severity : int
        1-5; 0 when clean.
    context : str
        Id of a context sentence of ``tasks/attributes.toml`` put after the question, or ``"none"``.
    repeat : int
        0 for the first asking; 1 asks the same question a second time.
    alone : bool
        Ask in a batch of its own, to compare with the answer given in company.
    """

    corruption: str = CLEAN
    severity: int = 0
    context: str = NO_CONTEXT
    repeat: int = 0
    alone: bool = False

    def __str__(self) -> str:
        parts = [] if self.corruption == CLEAN else [f"{self.corruption}-s{self.severity}"]
        parts += [] if self.context == NO_CONTEXT else [self.context]
        parts += [f"repeat{self.repeat}"] if self.repeat else []
        parts += ["alone"] if self.alone else []
        return "+".join(parts) or CLEAN


@dataclass(frozen=True, order=True, slots=True)
class Probe:
    """One question to the model: this image, under this condition, with this template."""

    image: str
    condition: Condition
    template: str


@runtime_checkable
class Comparison(Protocol):
    """Anything an audit may be parametrized with: it has a name, a family, and lists the probes it needs."""

    @property
    def name(self) -> str: ...

    @property
    def family(self) -> str: ...

    @property
    def template(self) -> str: ...

    def probes(self, images: Iterable[str]) -> Iterator[Probe]: ...


@dataclass(frozen=True, slots=True)
class Contrast:
    """Treated against control, paired within the image.

    Attributes
    ----------
    name : str
        Short and stable: the key of baselines and histories.
    family : str
        The family of the protocol within which its FAIL is corrected for multiplicity.
    treated, control : Condition
        The two sides of the comparison.
    template : str
        Id of the prompt template, or ``"@score"`` for the one the protocol names as its score template.
    """

    name: str
    family: str
    treated: Condition
    control: Condition = Condition()
    template: str = "@score"

    def __str__(self) -> str:
        return self.name

    def probes(self, images: Iterable[str]) -> Iterator[Probe]:
        for image in images:
            yield Probe(image, self.control, self.template)
            yield Probe(image, self.treated, self.template)


@dataclass(frozen=True, slots=True)
class Series:
    """One corruption at rising severity against the clean image, paired within the image."""

    name: str
    family: str
    corruption: str
    severities: tuple[int, ...] = (1, 2, 3, 4, 5)
    template: str = "@score"

    def __str__(self) -> str:
        return self.name

    @property
    def control(self) -> Condition:
        return Condition()

    @property
    def treated(self) -> tuple[Condition, ...]:
        return tuple(Condition(self.corruption, severity) for severity in self.severities)

    def probes(self, images: Iterable[str]) -> Iterator[Probe]:
        for image in images:
            for condition in (self.control, *self.treated):
                yield Probe(image, condition, self.template)


@dataclass(frozen=True, slots=True)
class Wordings:
    """The same question about the same image in several templates, every pair of them compared within the image."""

    name: str
    family: str
    templates: tuple[str, ...]
    condition: Condition = Condition()

    def __str__(self) -> str:
        return self.name

    @property
    def template(self) -> str:
        return self.templates[0]

    @property
    def control(self) -> Condition:
        return self.condition

    def probes(self, images: Iterable[str]) -> Iterator[Probe]:
        for image in images:
            for template in self.templates:
                yield Probe(image, self.condition, template)


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions whose answers are counted together, as for the rate of refusals of one template."""

    name: str
    family: str
    conditions: tuple[Condition, ...] = (Condition(),)
    template: str = "@score"

    def __str__(self) -> str:
        return self.name

    def probes(self, images: Iterable[str]) -> Iterator[Probe]:
        for image in images:
            for condition in self.conditions:
                yield Probe(image, condition, self.template)
