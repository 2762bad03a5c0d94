"""Workers on a real Ray cluster of two; what needs no cluster is tried without one."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import threading
import time
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import prefetch
from auditkit.ask.ray_engine import RayEngine
from auditkit.ask.ray_engine.cluster import cluster, imported, workers_of
from auditkit.ask.ray_engine.engine import _Open, _pickled, _rows
from auditkit.ask.ray_engine.parcel import Lookup, Parcel
from auditkit.ask.ray_engine.worker import MAX_ATTEMPTS
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.store import Rendered, Store, StoredAnswer
from auditkit.ask.tally import Tally
from auditkit.errors import AuditkitError
from auditkit.images.demo import PhantomReader
from auditkit.images.sources import load_images
from auditkit.models.base import ModelOptions, Response
from auditkit.models.resolve import resolve_model
from auditkit.protocol.effects import differs, falls, mean, share, versus
from auditkit.protocol.shipped import answers, repeatability
from auditkit.run.prepare import prepare
from auditkit.run.record import evidence, header
from auditkit.run.settings import Settings
from auditkit.version import install_line
from auditkit.vocabulary import Perturbation

EFFECTS = distinct([
    falls("pixelate", (1, 5), family="sensitivity"),
    differs(Perturbation("alone"), name="alone-vs-batch", family="repeatability"),
    share("refused", "grade", family="answers"),
])  # fmt: skip
PER_IMAGE = 5

# Found by the workers on the driver's sys.path; files beside it tell the test what they did.
MODELS = """
import os, signal, time, zlib
from pathlib import Path
from auditkit.errors import AuditkitError
from auditkit.models.base import Response
from auditkit.version import install_line

HERE = Path(__file__).parent
DRIVER = HERE / "driver"


def here():
    return os.getpid() == int(DRIVER.read_text())


class Base:
    name, revision, fingerprint = "noise", "1", "weights-1"

    def answer(self, request):
        number = zlib.crc32(request.images[0].tobytes() + request.prompt.encode()) % 101
        if number < 5:
            return Response(error="out of memory")
        if number < 10:
            return Response("I'm sorry, but I cannot assess medical images.")
        return Response(str(number), {"good": -0.5} if request.choices else None)

    def generate(self, requests):
        answers = [self.answer(request) for request in requests]
        with (HERE / "asked.log").open("a") as stream:
            stream.writelines(f"{os.getpid()} {len(requests)} {request.id}\\n" for request in requests)
        return answers


class DiesOnce(Base):
    calls = 0

    def generate(self, requests):
        self.calls += 1
        if self.calls > 3 and not here():
            try:
                (HERE / "died").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().generate(requests)


class DiesAlways(Base):
    def generate(self, requests):
        if not here() and any(r.prompt.startswith("Grade") or r.choices for r in requests):
            with (HERE / "deaths.log").open("a") as stream:
                stream.write(f"{os.getpid()}\\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().generate(requests)


class NoWeights(Base):
    def generate(self, requests):
        raise AuditkitError("--model=x: the weights are not on this node.", "hf download x")


class Hangs(Base):
    def generate(self, requests):
        if any(r.choices for r in requests):
            time.sleep(300)
        return super().generate(requests)


class OtherWeights(Base):
    def __init__(self):
        self.fingerprint = "weights-1" if here() else "weights-2"
"""


@pytest.fixture(scope="session")
def ray():
    """Ray as the engine imports it: it reads its environment once."""
    return imported()


@pytest.fixture
def pictures(tmp_path):
    """Writes images of noise and lists them as a folder of the user's would be listed."""

    def pictures(n):
        folder = tmp_path / "pictures"
        folder.mkdir()
        for i in range(n):
            pixels = np.random.default_rng(i).integers(40, 200, (24, 24), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"p{i:03d}.png")
        return load_images(str(folder), salt="test").records

    return pictures


@pytest.fixture
def local(protocol):
    """One pass of the local engine."""

    def local(model, some, store, effects=EFFECTS, batch_size=4):
        plan = Plan(tuple(some), effects, protocol)
        renderer = Renderer(store, protocol.seed, protocol.catalogue)
        return prefetch(plan, model, store, renderer, batch_size=batch_size, deadline=20, on_progress=lambda t: None)

    return local


def asked_by(folder) -> list[list[str]]:
    """Process, size of the batch and key of everything that a model of `MODELS` answered."""
    log = folder / "asked.log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def everything(store, plan, model, batch_size=4) -> Parcel:
    return Lookup(plan, store, Keys(model, batch_size, plan.protocol.catalogue)).parcel(plan.records)


def counts(tally: Tally) -> dict:
    record = {k: v for k, v in tally.to_record().items() if k != "seconds"}
    return record | {"left_out": sorted(map(str, tally.left_out)), "unreadable": sorted(tally.unreadable)}


def differences(one, other, path="", *, rounded=False):
    """Where two records differ; what is read from log-probabilities may by the rounding of another batch.

    2.5e-5 of 100 points was the most seen. Texts, scores, intervals and verdicts must be the same to the last digit.
    """
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key, value in one.items():
            yield from differences(value, other[key], f"{path}/{key}", rounded=rounded or key == "expected")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, value in enumerate(one):
            yield from differences(value, other[i], f"{path}/{i}", rounded=rounded)
    elif one != (pytest.approx(other, abs=2e-4) if rounded else other):
        yield path, one, other


# --- without a cluster ----------------------------------------------------------------------------------------------


def test_parcel_is_the_same_after_the_way_through_text_and_store(store):
    parcel = Parcel(
        {"c" * 64: "d" * 64},
        {"r" * 64: Rendered("e" * 64, 0.1 + 0.2, None), "s" * 64: Rendered("f" * 64, 1.0, 31.5)},
        {"a": StoredAnswer("\\x00 70 ß", "stop", {"good": -0.1, "bad": -math.inf}), "b": StoredAnswer("", "length")},
    )
    there = Parcel.from_text(parcel.to_text())
    assert there == parcel
    there.put_into(store, "model")
    assert store.answers("ab") == parcel.answers
    assert store.renders(parcel.renders) == parcel.renders
    assert store.sources(parcel.sources) == parcel.sources


def test_worker_given_what_is_held_asks_the_rest_only(records, function_model, local, store, tmp_path, protocol):
    some = records(4)
    partly = function_model(lambda request: Response(error="down") if request.choices else "70")
    wrong = local(partly, some, store).errors
    plan = Plan((*some, *records(1, prefix="new")), EFFECTS, protocol)
    lookup = Lookup(plan, store, Keys(partly, 4, protocol.catalogue))
    assert {key for record in some for key in lookup.missing(record)} == set(wrong)
    assert len(lookup.missing(plan.records[-1])) == PER_IMAGE, "of an image never seen no key is known"
    elsewhere = Store(str(tmp_path / "elsewhere.sqlite"))
    Parcel.from_text(lookup.parcel(some).to_text()).put_into(elsewhere, "function")
    records.reads.clear()
    model = function_model()
    tally = local(model, some, elsewhere)
    assert set(model.asked) == set(wrong)
    assert tally.held == 4 * PER_IMAGE - len(wrong)
    elsewhere.close()


def test_records_of_files_and_phantoms_can_be_sent(ray, pictures):
    file = pictures(1)[0]
    some = [file, file.with_picture(read=PhantomReader("ct", 1_000_000, 64))]
    there = ray.cloudpickle.loads(_pickled(ray, some))
    assert there == some
    for one, other in zip(there, some, strict=True):
        assert np.array_equal(one.pictures[0].read(), other.pictures[0].read())


def test_records_that_cannot_be_sent_are_refused_in_words(ray, records):
    lock = threading.Lock()
    with pytest.raises(AuditkitError, match="cannot be sent to another process"):
        _pickled(ray, [records(1)[0].with_picture(read=lambda: lock)])


@pytest.mark.parametrize(
    ("images", "batch_size", "workers", "expected"),
    [
        (1, 4, 8, [1]),
        (8, 4, 2, [1] * 8),  # few: a share for every worker
        (64, 4, 2, [4] * 16),  # 4 batches of 4, at 5 questions an image
        (60_000, 4, 2, None),
    ],
)
def test_rows_hold_some_batches_each(images, batch_size, workers, expected):
    some = [_Open(SimpleNamespace(id=i), PER_IMAGE, ["key"] * PER_IMAGE) for i in range(images)]
    rows = _rows(some, batch_size, workers)
    assert list(chain.from_iterable(rows)) == some
    if expected is not None:
        assert [len(row) for row in rows] == expected
    assert len(rows) <= 10_000


@pytest.mark.parametrize(
    ("resources", "wanted", "expected"),
    [
        ({"CPU": 8.0, "GPU": 2.0}, None, (2, 1)),
        ({"CPU": 8.0, "GPU": 2.0}, 16, (2, 1)),
        ({"CPU": 1.0, "GPU": 2.0}, None, (1, 1)),
        ({"CPU": 8.0}, None, (8, 0)),
        ({"CPU": 8.0, "GPU": 0.5}, 3, (3, 0)),
    ],
)
def test_one_worker_per_gpu_else_per_core_within_the_bound(resources, wanted, expected):
    assert workers_of(resources, wanted) == expected


def test_cluster_without_cores_is_refused():
    with pytest.raises(AuditkitError, match="not enough for one worker"):
        workers_of({"memory": 1e9}, None)


def test_without_ray_the_extra_is_named_and_a_full_store_needs_none(
    monkeypatch, records, function_model, local, store, protocol
):
    monkeypatch.setitem(sys.modules, "ray", None)
    some, model = records(3), function_model()
    plan = Plan(some, EFFECTS, protocol)

    def ask():
        with RayEngine("x", ModelOptions()) as engine:
            return engine.prefetch(plan, model, store, batch_size=4, deadline=20, on_progress=lambda tally: None)

    with pytest.raises(AuditkitError, match=re.escape(install_line("ray"))):
        ask()
    local(model, some, store)
    tally = ask()
    assert (tally.planned, tally.done, tally.held, tally.asked) == (15, 15, 15, 0)


def test_address_without_a_cluster_is_named(ray, monkeypatch):
    if ray.is_initialized():
        pytest.skip("the process is connected already")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(AuditkitError, match=r"RAY_ADDRESS=127\.0\.0\.1:1 could not be reached"), cluster():
        pass


# --- on two workers -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def two_workers(ray):
    """A cluster on this machine, for all tests together: starting one takes five seconds."""
    with cluster():
        if ray.cluster_resources()["CPU"] < 2:
            pytest.skip("two workers need two cores")
        yield ray


@pytest.fixture
def models(two_workers, tmp_path, monkeypatch):
    """A module with the models of `MODELS`, of another name in every test: workers are processes used again."""
    folder = tmp_path / "models"
    folder.mkdir()
    name = f"models_{time.time_ns()}"
    (folder / f"{name}.py").write_text(MODELS)
    (folder / "driver").write_text(str(os.getpid()))
    monkeypatch.syspath_prepend(str(folder))
    return SimpleNamespace(name=name, folder=folder, get=lambda which: resolve_model(f"{name}:{which}"))


@pytest.fixture
def ask(models, protocol):
    """One pass by two workers that hold the named model."""

    def ask(which, some, store, *, deadline=20.0, on_progress=lambda tally: None, tally=None):
        plan = Plan(tuple(some), EFFECTS, protocol)
        with RayEngine(f"{models.name}:{which}", ModelOptions(), workers=2) as engine:
            return engine.prefetch(
                plan, models.get(which), store, batch_size=4, deadline=deadline, on_progress=on_progress, tally=tally
            )

    return ask


@pytest.mark.slow
def test_nobody_without_the_token_is_let_in(two_workers):
    """Ray listens on every interface, and whoever is let in runs code; with the token the same line gets in."""
    join = f"import ray; ray.init({two_workers.get_runtime_context().gcs_address!r}, log_to_driver=False); print('in')"
    said = {}
    for token in (os.environ["RAY_AUTH_TOKEN"], "0" * 64):
        environment = os.environ | {"RAY_AUTH_TOKEN": token}
        done = subprocess.run([sys.executable, "-c", join], env=environment, capture_output=True, text=True, timeout=60)
        said[token] = (done.returncode, done.stdout.strip())
    assert list(said.values()) == [(0, "in"), (1, "")]


@pytest.mark.slow
def test_evidence_is_that_of_the_local_engine(two_workers, tmp_path, pytestconfig):
    """The reference model on demonstration images, questions alone included: only the run's own times may differ."""
    effects = [
        falls("pixelate", family="sensitivity"),
        *repeatability(),
        *(effect for effect in answers() if effect.name == "grade.archive-refused"),
        versus(mean(family="scoring")),
    ]
    found = []
    for engine in ("local", "ray"):
        settings = Settings(
            model="reference", data="demo", protocol=pytestconfig.rootpath / "audits" / "protocol.toml", root=tmp_path,
            uid=engine, store=str(tmp_path / f"{engine}.sqlite"), limit=6, engine=engine,
            workers=2 if engine == "ray" else None, roles={"sibling": "reference-prestige"},
        )  # fmt: skip
        run = prepare(settings, effects)
        run.fetch(lambda tally: None)
        assert [(who.tally.asked, who.tally.errors) for who in run.answerers] == [
            (run.plan.of(who.role).size(), {}) for who in run.answerers
        ]
        run.measure()
        audits = [run.audit(e, "?") for e in effects]
        record = evidence(header(run), audits, run_id="", command="").model_dump(mode="json")
        (other,) = record["models"]
        assert (other["name"], other["probes"].pop("seconds") > 0) == ("reference-prestige", True)
        found.append(record | {"run": None})
        run.close()
    assert list(differences(*found)) == []
    assert {audit["n_images"] for audit in found[0]["audits"]} != {0}


@pytest.mark.slow
def test_two_workers_find_what_the_local_engine_finds(models, ask, local, pictures, store, tmp_path, protocol, capfd):
    """Errors, refusals, an image that is lost, questions alone, two passes on one tally, and nothing said by Ray."""
    some = pictures(12)
    Path(some[3].read.folder, some[3].read.name).unlink()
    shown = []
    capfd.readouterr()
    first = ask("Base", some[:6], store, on_progress=lambda t: shown.append(t.done))
    tally = ask("Base", some[6:], store, tally=first)
    said = capfd.readouterr()
    asked = asked_by(models.folder)
    assert shown == sorted(shown)
    assert len(set(shown)) > 3, "row by row, not all at the end"
    assert len({process for process, _, _ in asked} - {str(os.getpid())}) >= 2, "both have a part in it"
    assert len(asked) == len({key for _, _, key in asked}) == tally.asked == 11 * PER_IMAGE
    assert sum(size == "1" for _, size, _ in asked) >= 11, "what is asked alone is in a batch of its own"
    beside = Store(str(tmp_path / "local.sqlite"))
    model = models.get("Base")
    expected = local(model, some, beside)
    assert counts(tally) == counts(expected)
    assert tally.errors
    assert [entry.name for entry in tally.left_out] == [some[3].name]
    readable = Plan((*some[:3], *some[4:]), EFFECTS, protocol)
    assert everything(store, readable, model) == everything(beside, readable, model)
    beside.close()
    assert (said.out, said.err) == ("", "")


@pytest.mark.slow
def test_killed_worker_costs_nothing(models, ask, local, pictures, store, tmp_path, protocol):
    some = pictures(16)
    tally = ask("DiesOnce", some, store)
    assert (models.folder / "died").exists()
    beside, model = Store(str(tmp_path / "local.sqlite")), models.get("DiesOnce")
    expected = local(model, some, beside)
    assert counts(tally) == counts(expected), "nothing is lost and nothing counted twice"
    plan = Plan(some, EFFECTS, protocol)
    assert everything(store, plan, model) == everything(beside, plan, model)
    beside.close()


@pytest.mark.slow
def test_worker_that_dies_of_the_same_images_again_and_again_ends_the_run(models, ask, pictures, store):
    with pytest.raises(AuditkitError, match=f"died {MAX_ATTEMPTS} times over the same images"):
        ask("DiesAlways", pictures(1), store)
    deaths = (models.folder / "deaths.log").read_text().split()
    assert len(set(deaths)) == len(deaths) == MAX_ATTEMPTS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("NoWeights", r"^--model=x: the weights are not on this node\. hf download x$"),
        ("OtherWeights", "is not the driver's: it has name noise, revision 1, fingerprint weights-2"),
    ],
)
def test_what_is_wrong_with_a_workers_model_is_said_in_its_words(ask, pictures, store, which, words):
    with pytest.raises(AuditkitError, match=words):
        ask(which, pictures(1), store)
    assert store.count() == 0


@pytest.mark.slow
def test_hanging_model_ends_the_asking_and_keeps_what_it_said_before(ask, pictures, store):
    some = pictures(8)
    tally = ask("Hangs", some, store, deadline=1.0)
    assert tally.done == tally.planned == 8 * PER_IMAGE
    assert tally.held + store.count() + len(tally.errors) == tally.done
    assert "did not return within 1 s" in tally.gave_up
    assert sum("did not return" in why for why in tally.errors.values()) >= 8, "one choice of each image at least"


@pytest.mark.slow
def test_interrupted_run_goes_on_where_it_was(models, ask, pictures, store):
    some = pictures(16)

    def interrupt(tally):
        if tally.done >= 2 * PER_IMAGE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask("Base", some, store, on_progress=interrupt)
    kept = store.count()
    assert 0 < kept < 16 * PER_IMAGE
    tally = ask("Base", some, store)
    assert tally.held == kept
    assert tally.done == tally.planned == 16 * PER_IMAGE
