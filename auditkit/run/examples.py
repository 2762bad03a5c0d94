"""Examples for the report: thumbnails of what the model was shown, and answers without a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from auditkit import tasks
from auditkit.ask.roles import Answerer
from auditkit.ask.tally import Tally
from auditkit.evidence import Example, Unscored
from auditkit.images.item import Item
from auditkit.images.thumbnail import jpeg_thumbnail
from auditkit.models.again import remedy
from auditkit.run.session import AuditRun
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import MODEL, Condition, Perturbation, Probe, Question
from auditkit.words.text import shortened

MAX_IMAGES = 6
_TEXT = 300  # characters


def examples(run: AuditRun) -> list[Example]:
    """Return one image of each of several modalities, clean and at every level that the audits ask about."""
    conditions = _shown_conditions(run)
    if not conditions:
        return []
    data = run.judge.data
    asked = {question.condition for question in data.asked() if not data.column(question).inside}
    result = []
    # Of a pair no single picture is what was asked about, and some items have none.
    alone = ((index, record) for index, record in enumerate(data.records) if len(record.pictures) == 1)
    shown = [(index, record) for index, record in alone if run.may_show(record)]
    for index, record in _shown_images(shown):
        digest = run.store.sources([record.content])[record.content]
        known = run.renderer.known(record, digest, {(), *conditions})
        for condition in ((), *conditions):
            question = run.protocol.resolve(Question(condition=condition))
            if condition and (condition not in asked or condition not in known or not known[condition].exists):
                continue  # the perturbation does not apply to this modality
            rendered = known.get(condition)
            done = condition[0] if condition else Perturbation("")
            result.append(
                Example(
                    item=record.id,
                    modality=record.modality,
                    synthetic=record.synthetic,
                    perturbation=done.name,
                    level=done.level,
                    ssim=rendered.ssim if condition and rendered is not None else None,
                    psnr=None if rendered is None else rendered.psnr,
                    score=float(data.column(question).scores[index]),
                    jpeg=jpeg_thumbnail(run.renderer.pixels(record, digest, condition)),
                )
            )
    return result


def unscored(run: AuditRun) -> list[Unscored]:
    """Return every outcome without a score that occurred, the commonest first, each with an answer that shows it."""
    found = []
    for who in run.answerers:
        total = run.judge.data.total(who.role, run.protocol.catalogue.asked_of)
        found += [_unscored(run, who, name, getattr(total, name)) for name in OUTCOMES if name != "scored"]
    return sorted((entry for entry in found if entry.n), key=lambda entry: (entry.role != MODEL, -entry.n))


def _unscored(run: AuditRun, who: Answerer, outcome: str, n: int) -> Unscored:
    if outcome == "error":
        return _lost(who.tally, who.tally.errors).model_copy(update={"n": n, "role": who.role})
    data, code = run.judge.data, OUTCOMES.index(outcome)
    for question in sorted(data.asked()):
        where = np.flatnonzero(data.column(question).outcomes == code)
        if run.protocol.catalogue.asked_of(question) != who.role or not len(where):
            continue
        record = data.records[where[0]]
        answer = next(run.reader().read(record, [Probe(record.id, question)])).answer
        if answer is None:  # answers in the store cannot vanish while the run holds it
            continue
        task, truth = run.protocol.catalogue.about(question, record.columns)
        score = tasks.read(task, question.wording, answer.text, answer.finish_reason, truth)
        return Unscored(
            outcome=outcome,
            n=n,
            question=question.words,
            role=who.role,
            why=shortened(score.why, _TEXT),
            text=shortened(answer.text, _TEXT),
        )
    return Unscored(outcome=outcome, n=n, role=who.role)


def not_embedded(run: AuditRun) -> list[Unscored]:
    """Return the kinds of embeddings of which some could not be had, each with the commonest reason."""
    wanted = dict.fromkeys(q.wording for record in run.plan.records for q in run.plan.inside(record.modality))
    if run.embedded is None:  # after a model that does not return nothing more is asked
        why = shortened(run.tally.gave_up, _TEXT)
        return [Unscored(outcome="error", n=0, question=kind, why=why, remedy=remedy([True])) for kind in wanted if why]
    kinds = run.embedded.kinds
    found = {kind: [key for key in run.embedded.errors if kinds.get(key) == kind] for kind in wanted}
    return [_lost(run.embedded, keys).model_copy(update={"question": kind}) for kind, keys in found.items() if keys]


def _lost(tally: Tally, keys: Iterable[str]) -> Unscored:
    """What could not be had, with the commonest reason and whether it can help to run again."""
    lost = list(keys)
    common = Counter(tally.errors[key] for key in lost).most_common(1)
    why = shortened(common[0][0], _TEXT) if common else ""
    return Unscored(outcome="error", n=len(lost), why=why, remedy=remedy(tally.again.get(key) for key in lost))


def _shown_conditions(run: AuditRun) -> list[Condition]:
    """Single perturbations of the pictures of which one effect asks about several levels, by name and level."""
    pictures = run.protocol.catalogue.pictures
    levels: dict[str, set[Condition]] = {}
    for effect in run.plan.effects:
        own: dict[str, set[Condition]] = {}
        for question in effect.questions():
            if len(question.condition) == 1 and pictures(question.condition) == question.condition:
                own.setdefault(question.condition[0].name, set()).add(question.condition)
        for name, conditions in own.items():
            if len(conditions) > 1:  # one level shows no course
                levels.setdefault(name, set()).update(conditions)
    return [condition for name in levels for condition in sorted(levels[name])]


def _shown_images(records: Sequence[tuple[int, Item]]) -> list[tuple[int, Item]]:
    """The first image of each modality, real ones before phantoms, modalities with real images first."""
    best: dict[str, tuple[int, Item]] = {}
    for index, record in records:
        held = best.get(record.modality)
        if held is None or (held[1].synthetic and not record.synthetic):
            best[record.modality] = (index, record)
    return sorted(best.values(), key=lambda pair: (pair[1].synthetic, pair[1].modality))[:MAX_IMAGES]
