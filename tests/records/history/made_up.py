"""Versions of a made-up model in time: the records of their runs, as whole as those that runs write.

``python -m tests.records.history.made_up FOLDER`` writes ten versions with a slow drift and what else a history has.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auditkit.evidence import Evidence, Reference, whole_verdict
from auditkit.images.item import Item
from auditkit.judge.versions import VersionJudge
from auditkit.measure.recorded import answers_sha256, data_sha256, effect_from, from_answers
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import Asked, FairReader, Replies, made_up_images
from auditkit.testing.readers import NOISES, disturbed
from auditkit.vocabulary import Effect
from tests.records.compare.made_up import record

DRIFTING = "institution.reputation.high"
"""The sentence whose effect grows from version to version."""
JUMPING = "institution.teaching.high"
"""The sentence that moves the score all at once."""
EFFECTS = tuple(
    effect
    for family, names in {
        "metadata": (
            "institution.reputation-high-vs-low",
            "institution.teaching-high-vs-low",
            "institution.income-high-vs-low",
        ),
        "sensitivity": ("pixelate", "gaussian_noise"),
        "discrimination": ("pixelate",),
        "answers": ("quality.direct-unusable",),
    }.items()
    for effect in SHIPPED[family]()
    if effect.name in names
)


@dataclass(frozen=True)
class Version:
    """One version: how far its score is moved by sentences, and the seed of what it does otherwise."""

    seed: int = 0
    moved: tuple[tuple[str, float], ...] = ()

    def answer(self, asked: Asked) -> Replies:
        """Answer as all versions see the image, with noise of its own."""
        quiet = FairReader(noise=NOISES["none"]).answer(replace(asked, seed=0))
        points = dict(self.moved)
        own = sum(points.get(perturbation.name, 0.0) for perturbation in asked.question.condition)
        scores = quiet.scores + (0.0 if asked.nothing_to_see else own)
        return Replies(disturbed(scores, NOISES["discrete"], replace(asked, seed=self.seed)))


def run(
    number: int,
    version: Version,
    protocol: Protocol,
    *,
    images: Sequence[Item] | Mapping[str, int],
    effects: Sequence[Effect] = EFFECTS,
    anchor: Evidence | None = None,
    name: str = "scorer",
    not_run: Sequence[str] = (),
) -> Evidence:
    """Return the record of the run of a version, with everything that the checks of reading look at."""
    items = made_up_images(images) if isinstance(images, Mapping) else tuple(images)
    made = record(version, name, protocol, seed=version.seed, images=items, effects=effects)
    month, year = 1 + (number - 1) % 12, 2026 + (number - 1) // 12
    done = {"id": f"{year}{month:02d}03-100000-{number:04x}", "started": f"{year}-{month:02d}-03T10:00:00+00:00"}
    done["finished"] = f"{year}-{month:02d}-03T10:20:00+00:00"
    data = {
        "sha256": data_sha256(item.content for item in items),
        "units": dict(Counter(item.unit for item in made.answers.items)),
        "sources": {"made up": len(items)},
        "licences": {"none": len(items)},
    }
    audits, references = list(made.audits), []
    if anchor is not None:
        judge = VersionJudge(protocol, from_answers(made.answers), from_answers(anchor.answers), list(effects))
        known = [effect for audit in made.audits if (effect := effect_from(audit)) is not None]
        audits += [judge.against("anchor", effect, "", anchor.run.id) for effect in known]
        references = [
            Reference(
                role="anchor",
                run=anchor.run.id,
                finished=anchor.run.finished,
                model=name,
                evidence_sha256=answers_sha256(anchor.answers.items),
                verdict=anchor.verdict,
            )
        ]
    verdict, sentence = whole_verdict(audits, not_run)
    return made.model_copy(
        update={
            "run": made.run.model_copy(update=done),
            "model": made.model.model_copy(update={"revision": f"v{number}", "fingerprint": f"{number:08x}"}),
            "data": made.data.model_copy(update=data),
            "audits": audits,
            "references": references,
            "not_run": list(not_run),
            "verdict": verdict,
            "sentence": sentence,
        }
    )


def other_limit(protocol: Protocol, **limits: float) -> Protocol:
    """Return a protocol with another limit for the metadata family."""
    family = protocol.families["metadata"].model_copy(update=limits)
    return protocol.model_copy(update={"families": {**protocol.families, "metadata": family}})


def write(evidence: Evidence, folder: Path) -> Path:
    """Write a record where a run would."""
    path = folder / evidence.model.name / evidence.run.id / "evidence.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(evidence.to_json(), encoding="utf-8")
    return path


def ten_versions(
    protocol: Protocol,
    images: Sequence[Item] | Mapping[str, int],
    *,
    drift: float = 2.5,
    effects: Sequence[Effect] = EFFECTS,
    jump_at: int = 7,
    anchored: bool = False,
) -> list[Evidence]:
    """Return ten versions: one effect grows by `drift` points in all, another jumps by 12 points at one version."""
    found: list[Evidence] = []
    for number in range(1, 11):
        moved = ((DRIFTING, drift * (number - 1) / 9), (JUMPING, 12.0 if number >= jump_at else 0.0))
        anchor = found[0] if found and anchored else None
        found.append(run(number, Version(number, moved), protocol, images=images, effects=effects, anchor=anchor))
    return found


def main(folder: Path) -> None:
    """Write ten versions with a changed limit, other data, a partial run and a damaged record."""
    protocol = load_protocol(Path(__file__).parents[3] / "audits" / "protocol.toml")
    images = {"ct": 70, "mr": 70}
    runs = ten_versions(protocol, images, anchored=True)
    for evidence in runs:
        write(evidence, folder)
    later = other_limit(protocol, within=4.0)
    moved = ((DRIFTING, 2.5), (JUMPING, 12.0))
    write(run(11, Version(11, moved), later, images=images), folder)
    few = [effect for effect in EFFECTS if effect.family == "metadata"]
    write(run(12, Version(12, moved), later, images=images, effects=few, not_run=["sensitivity/pixelate"]), folder)
    for number in (13, 14):
        write(run(number, Version(number, moved), later, images={"ct": 40 + number, "xray": 60}), folder)
    last = run(15, Version(15, moved), later, images=images)
    write(last.model_copy(update={"data": last.data.model_copy(update={"n_images": 141})}), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
