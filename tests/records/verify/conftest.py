"""A run of a made-up model on forty small pictures, with its store and everything that a run writes."""

from __future__ import annotations

import csv
import json
import math
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from auditkit import perturbations
from auditkit.evidence import Evidence
from auditkit.models.base import ModelOptions, Request, Response
from auditkit.protocol.shipped import SHIPPED
from auditkit.records.baseline.earlier import earlier_runs
from auditkit.records.verify import Check, exit_code, verify
from auditkit.run.outputs import write_outputs
from auditkit.run.prepare import prepare
from auditkit.run.record import evidence as assembled
from auditkit.run.record import header
from auditkit.run.settings import Settings
from auditkit.vocabulary import Effect

PROTOCOL = """
name = "small"
seed = 7
[profiles.ci]
alpha = 0.05
[profiles.strict]
alpha = 0.025
[images]
max_side = 32
[prompts]
score = "quality.direct"
[statistics]
resamples = 1000
[families.metadata]
within = 5.0
[families.repeatability]
at_most = 0.3
[families.answers]
at_most = 0.3
[families.sensitivity]
at_least = 2.0
[families.calibration]
shown = true
[families.scoring]
shown = true
[families.subgroups]
shown = true
"""
IDS = (
    "metadata/institution.reputation-high-vs-low",
    "metadata/institution.reputation-high-vs-neutral",
    "repeatability/asked-twice",
    "answers/quality.direct-refused",
    "sensitivity/pixelate",
    "calibration/score-as-chance",
    "scoring/mass",
    "subgroups/sex",
)


class Impressed:
    """Adds points for renown, falls with noise, refuses a few images, and says how sure it is."""

    name = "impressed"

    def __init__(self, *, bonus: int = 25, breaks: bool = False, revision: str = "1") -> None:
        self.revision, self.fingerprint = revision, f"impressed-{revision}"
        self._words = perturbations.levels()["institution.reputation.high"].sentence
        self._bonus = bonus
        self._breaks = breaks

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Response:
        pixels = np.asarray(request.images[0], dtype=float)
        seed = zlib.crc32(request.images[0].tobytes())
        if self._breaks and seed % 11 == 0:
            return Response(error="out of memory")
        if seed % 17 == 0:
            return Response("I cannot judge medical images.")
        score = int(np.clip(40 + pixels.std() / 2 + self._bonus * (self._words in request.prompt) + seed % 3, 0, 100))
        return Response(str(score), {str(score): math.log(0.75), str(min(score + 4, 99)): math.log(0.125)})


def effects(ids: Sequence[str] = IDS) -> list[Effect]:
    known = {f"{e.family}/{e.name}": e for listed in SHIPPED.values() for e in listed()}
    return [known[name] for name in ids]


@dataclass
class Made:
    """A run's folder, its store and its images."""

    folder: Path
    store: Path
    images: Path

    @property
    def record(self) -> Path:
        return self.folder / "evidence.json"

    @property
    def evidence(self) -> Evidence:
        return Evidence.from_json(self.record.read_text())

    def change(self, edit: Callable[[dict[str, Any]], object]) -> None:
        """Edit the record and write it as auditkit writes it, so that only the content tells."""
        tree = json.loads(self.record.read_text())
        edit(tree)
        self.record.write_text(json.dumps(tree, indent=1, sort_keys=True, ensure_ascii=False) + "\n")

    def verify(self, name: str = "evidence.json", **options: Any) -> list[Check]:
        return verify(self.folder / name, **{"store": str(self.store), "data": str(self.images), **options})

    def code(self, name: str = "evidence.json", **options: Any) -> int:
        return exit_code(self.verify(name, **options))


def run_once(
    root: Path,
    images: Path,
    *,
    uid: str = "first",
    looks: int | None = None,
    ids: Sequence[str] = IDS,
    judged: Sequence[str] | None = None,
    model: Impressed | None = None,
    margin: float = 5.0,
    baseline: Path | None = None,
    page: bool = False,
    pdf: bool = False,
    more: Sequence[Effect] = (),
    families: str = "",
    others: Mapping[str, Impressed | Path] | None = None,
) -> Made:
    """Ask what the audits `ids` and `more` need, judge them (or `judged` of them), and write the record, or all files.

    `others` answer in roles, for audits in `more` and their `families`.
    """
    protocol = root / "protocol.toml"
    protocol.write_text(PROTOCOL.replace("within = 5.0", f"within = {margin}") + families)
    named = {role: str(other) if isinstance(other, Path) else role for role, other in (others or {}).items()}
    settings = Settings(
        model="impressed",
        data=str(images),
        protocol=protocol,
        root=root,
        uid=uid,
        looks=looks,
        options=ModelOptions(batch_size=16),
        references={} if baseline is None else {"baseline": baseline},
        roles=named,
    )
    asked = {"impressed": model or Impressed(), **(others or {})}
    run = prepare(settings, [*effects(ids), *more], find_model=lambda name: asked[name])
    earlier = earlier_runs(run)
    run.fetch(lambda tally: None)
    run.measure()
    wanted = [*effects(judged or ids), *more]
    audits = [run.audit(effect, "Does it hold?") for effect in wanted]
    audits += [
        e.audit(effect, "Does it hold?")
        for e in earlier
        for effect in wanted
        if not run.protocol.families[effect.family].shown
    ]
    described = header(run, [e.reference() for e in earlier])
    record = assembled(described, audits, run_id="20261122-000000-abcdef", command="pytest audits")
    run.close()
    made = Made(root / f"out-{uid}", root / ".auditkit" / "answers.sqlite", images)
    if page:
        write_outputs(record, made.folder, pdf=pdf)
    else:
        made.folder.mkdir()
        made.record.write_text(record.to_json())
    return made


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures of thirty-six patients in two modalities, listed in a manifest with their sex."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(5)
    with (folder / "images.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file_name", "patient_id", "modality", "sex"])
        for i in range(40):
            Image.fromarray(rng.integers(0, 256, (24, 24), dtype=np.uint8)).save(folder / f"p{i:02d}.png")
            table.writerow([f"p{i:02d}.png", f"patient {i % 36}", ("ct", "xray")[i % 2], "FM"[i // 20]])
    return folder / "images.csv"


@pytest.fixture(scope="session")
def salt() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDITKIT_SALT", "salt of the tests")
        yield


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory, pictures: Path, salt: None) -> Made:
    return run_once(tmp_path_factory.mktemp("run"), pictures, page=True)


@pytest.fixture
def made(original: Made, tmp_path: Path) -> Made:
    """A copy of the run, to be tampered with."""
    shutil.copytree(original.folder, tmp_path / "out")
    # The write-ahead log, too: whoever copies a store takes the whole folder.
    shutil.copytree(original.store.parent, tmp_path / "store")
    return Made(tmp_path / "out", tmp_path / "store" / original.store.name, original.images)
