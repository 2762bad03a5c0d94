"""Records of made-up models with known truth: simulated answers, judged as a run judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from auditkit.evidence import (
    VERDICTS,
    Data,
    Evidence,
    ModalityCount,
    ModelInfo,
    ProtocolInfo,
    Run,
    overall,
)
from auditkit.images.item import Item
from auditkit.measure.recorded import columns_needed, to_answers
from auditkit.protocol.model import Protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import Asked, Behaviour, FairReader, Replies, audit_all, made_up_images, simulate
from auditkit.testing.readers import NOISES, Noise, disturbed
from auditkit.vocabulary import Effect


@dataclass(frozen=True)
class Seeing:
    """Sees the same quality in an image as all others of its kind (seed 0), with errors of its own."""

    fall: float = 7.0
    spread: float = 5.0
    noise: Noise = NOISES["discrete"]

    def answer(self, asked: Asked) -> Replies:
        quiet = FairReader(fall=self.fall, spread=self.spread, noise=NOISES["none"])
        seen = quiet.answer(replace(asked, seed=0))
        return Replies(disturbed(seen.scores, self.noise, asked))


def some_effects(*families: str, most: int = 4) -> list[Effect]:
    """Return the first effects of some shipped families."""
    return [effect for family in families for effect in SHIPPED[family]()[:most]]


def record(
    behaviour: Behaviour,
    name: str,
    protocol: Protocol,
    *,
    seed: int = 0,
    images: Sequence[Item] | Mapping[str, int] = {"ct": 32, "xray": 32},
    effects: Sequence[Effect] | None = None,
    family: str = "",
    run: str = "",
) -> Evidence:
    """Return the record of a run of a made-up model."""
    records = made_up_images(images) if isinstance(images, Mapping) else tuple(images)
    asked = [effect for shipped in SHIPPED.values() for effect in shipped()] if effects is None else list(effects)
    data = simulate(behaviour, records, asked, protocol, seed)
    audits = list(audit_all(data, asked, protocol).values())
    verdict = overall(a.verdict for a in audits)
    modalities = [
        ModalityCount(
            modality=m,
            n_images=int(data.where(("modality", m)).sum()),
            n_clusters=len({r.cluster for r in records if r.modality == m}),
            n_synthetic=int(data.where(("modality", m)).sum()),
        )
        for m in data.levels()
    ]
    parts = protocol.parts()
    return Evidence(
        run=Run(
            id=run or f"20261122-100000-{name}",
            started="2026-11-22T10:00:00+00:00",
            finished="2026-11-22T10:05:00+00:00",
        ),
        model=ModelInfo(name=name, family=family, revision="1", fingerprint=f"{name}-{seed}", backend="simulated"),
        protocol=ProtocolInfo(
            name=protocol.name,
            sha256=protocol.sha256(),
            profile=protocol.profile,
            alpha=protocol.alpha,
            criteria=protocol.model_dump(mode="json"),
            criteria_sha256=parts.pop("criteria"),
            entries=parts,
        ),
        data=Data(
            source="made up",
            n_images=len(records),
            n_clusters=len({r.cluster for r in records}),
            modalities=modalities,
            synthetic_share=1.0,
            sha256="cd" * 32,
        ),
        outcomes=data.total(),
        audits=audits,
        answers=to_answers(data, 1, columns_needed(protocol, asked)),
        verdict=verdict,
        sentence=f"{sum(a.verdict == VERDICTS[0] for a in audits)} of {len(audits)} audits failed.",
    )
