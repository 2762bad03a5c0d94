"""An earlier run, read from its evidence.json, and what this run's audits say against it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Evidence, Reference
from auditkit.evidence.reading import read_evidence
from auditkit.judge.procedures import row_of
from auditkit.judge.versions import VersionJudge
from auditkit.measure.columns import NOT_ASKED, Measurements
from auditkit.measure.recorded import chances_needed, columns_needed, from_answers, to_answers
from auditkit.records.baseline.unlike import repainted, unlike_in_data, unlike_in_entries, unlike_in_plan
from auditkit.run.session import AuditRun
from auditkit.vocabulary import Effect
from auditkit.words import cut, some_of


@dataclass
class EarlierRun:
    """One earlier run that a run is held against.

    Attributes
    ----------
    role : str
        ``baseline`` or ``anchor``.
    evidence : Evidence
        Its record.
    sha256 : str
        Over the bytes of the file.
    answers : Measurements
        What its model answered.
    run : AuditRun
        Today's.
    problem : str
        Why the two cannot be compared, as far as that is known; empty when they can.
    """

    role: str
    evidence: Evidence
    sha256: str
    answers: Measurements
    run: AuditRun
    problem: str = ""
    _judge: VersionJudge | None = field(default=None, repr=False)

    def audit(self, effect: Effect, question: str) -> Audit:
        """Return the record of one effect, held against the same one of the earlier run.

        Parameters
        ----------
        effect : Effect
            What the audit measures.
        question : str
            The audit's docstring.

        Raises
        ------
        AuditkitError
            When the effect is only shown, the runs cannot be compared, or the earlier one did not ask these questions,
            or asked them otherwise.
        """
        if self._shown(effect):
            raise AuditkitError(
                f"{effect} is of a family that is only shown, so it has no limit to keep against {self.name}.",
                f"Give [families.{effect.family}] a limit and take shown = true out.",
            )
        row = row_of(effect, self.run.protocol)
        if row.worsening is None:
            raise AuditkitError(
                f"{effect} is {row.called}, which is not held against an earlier run.",
                f"Leave --audit-{self.role} out for it, or audit it in a run of its own.",
            )
        self._check_data()
        problem = self.problem or unlike_in_entries(self.evidence.protocol, effect, self.run.protocol)
        if problem:
            raise AuditkitError(f"cannot be compared with {self.name}: {problem}.")
        if not self._asked(effect):
            raise AuditkitError(
                f"{self.name} did not ask these questions; it was a part of the audits.",
                f"Run all audits of that model again and give the new record with --audit-{self.role}.",
            )
        if self._judge is None:
            both = [member for member in self.run.plan.effects if self._comparable(member)]
            self._judge = VersionJudge(self.run.protocol, self._today, self.answers, both)
        return self._judge.against(self.role, effect, question, self.name)

    def reference(self) -> Reference:
        """Return what the record of today's run says of this one."""
        self._check_data()
        same, both = (0, 0) if self.problem else self._same_answers()
        return Reference(
            role=self.role,
            run=self.evidence.run.id,
            finished=self.evidence.run.finished,
            model=self.evidence.model.name,
            revision=self.evidence.model.revision,
            fingerprint=self.evidence.model.fingerprint,
            evidence_sha256=self.sha256,
            n_answers=both,
            n_same=same,
            verdict=self.evidence.verdict,
            sentence=self.evidence.sentence,
            problem=self.problem,
        )

    def cannot_be_compared(self) -> str:
        """Say for the terminal why the two cannot be compared; the record has ids, here files are named too."""
        changed = repainted(self.evidence, self.run.plan.records, self.run.store.manifests)
        files = some_of([cut(record.name, 60) for record in changed if record.name])
        return f"auditkit: {self.name} cannot be compared: {self.problem}.{f' Files: {files}.' if files else ''}"

    @property
    def name(self) -> str:
        """The earlier run in words."""
        model = self.evidence.model
        revision = f" ({model.revision[:12]})" if model.revision else ""
        # The file is somebody's: what it says must not drive a terminal or a CI log.
        words = f"the {self.role}, run {self.evidence.run.id} of {model.name}{revision}"
        return " ".join("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words).split())

    @cached_property
    def _today(self) -> Measurements:
        """Today's answers by the way of a record: rounded as the earlier ones are, items in the same order."""
        where = [part.where[0] for effect in self.run.plan.effects for part in effect.parts if part.where is not None]
        columns = (*columns_needed(self.run.protocol), *where)
        chances = chances_needed(self.run.protocol, self.run.plan.effects)
        return from_answers(to_answers(self.run.judge.data, self.run.batch_size, columns, chances=chances))

    def _check_data(self) -> None:
        if not self.problem:
            self.problem = unlike_in_data(self.evidence, self.run.judge.data.records, self.run.store.manifests)

    def _shown(self, effect: Effect) -> bool:
        family = self.run.protocol.family_of(effect)
        return family is not None and family.shown

    def _comparable(self, effect: Effect) -> bool:
        unlike = unlike_in_entries(self.evidence.protocol, effect, self.run.protocol)
        held = not self._shown(effect) and row_of(effect, self.run.protocol).worsening is not None
        return held and not unlike and self._asked(effect)

    def _asked(self, effect: Effect) -> bool:
        questions = map(self.run.protocol.resolve, effect.questions())
        return all((self.answers.column(question).outcomes != NOT_ASKED).any() for question in questions)

    def _same_answers(self) -> tuple[int, int]:
        same = both = 0
        for question in self.answers.answered():
            today, before = self._today.column(question), self.answers.column(question)
            asked = np.logical_and(today.outcomes != NOT_ASKED, before.outcomes != NOT_ASKED)
            both += int(asked.sum())
            same += int((asked & today.says_the_same(before)).sum())
        return same, both


def earlier_runs(run: AuditRun) -> list[EarlierRun]:
    """Read the runs that a run is to be held against, and say what is in the way.

    Parameters
    ----------
    run : AuditRun
        Prepared; nothing needs to have been asked yet.

    Raises
    ------
    AuditkitError
        A file that cannot be read or is not evidence, or a protocol with early looks.
    """
    from auditkit.measure.faults import count_faults

    references: Mapping[str, Path] = run.settings.references
    looks = run.protocol.looks.number
    if references and looks > 1:
        raise AuditkitError(
            f"{looks} looks are planned, and --audit-{min(references)} is given: early looks stop asking when an audit "
            "is settled, so which images are left to compare would depend on the answers.",
            "Give --audit-looks=1, for the earlier run too.",
        )
    found = []
    for role, path in references.items():
        evidence, raw = read_evidence(path, f"--audit-{role}")
        fault = next(count_faults(evidence), None) if evidence.answers.items else None
        if fault is not None:
            raise AuditkitError(
                f"--audit-{role}={path}: its answers are damaged: {fault}.", "Give the file as the run wrote it."
            )
        answers = from_answers(evidence.answers)
        found.append(
            EarlierRun(role, evidence, hashlib.sha256(raw).hexdigest(), answers, run, unlike_in_plan(evidence, run))
        )
    return found
