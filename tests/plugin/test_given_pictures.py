"""Changed pictures that the data hold, over a whole run: one that is damaged, and one that is another one later."""

import csv

import numpy as np
import pytest
from PIL import Image

from auditkit.errors import AuditkitError
from auditkit.records.compare import compare
from auditkit.records.verify import verify
from tests.plugin.conftest import evidence_of

PROTOCOL = """
name = "own"
profile = "ci"
seed = 7
covers = ["old_scanner"]
[profiles.ci]
alpha = 0.05
[prompts]
score = "quality.direct"
[perturbations.old_scanner]
function = "given"
levels = [{}, {}]
[families.old]
within = 20.0
size = 1
[families.all]
at_least = 10.0
size = 1
[baseline]
points = 20.0
points_per_step = 5.0
share = 0.06
modality_share = 0.12
"""
AUDITS = '''
import pytest
from auditkit import Perturbation, change, mean


@pytest.mark.parametrize("effect", [change(Perturbation("old_scanner", 2), family="old")], ids=str)
def test_old(effect, audit):
    """Is the old scanner scored alike?"""
    audit.within(effect)


@pytest.mark.parametrize("effect", [mean(family="all")], ids=str)
def test_all(effect, audit):
    """Is there a score?"""
    audit.at_least(effect)
'''
N = 64
DAMAGED = 5


def pixels(seed):
    return np.random.default_rng(seed).integers(0, 256, (24, 24), dtype=np.uint8)


@pytest.fixture
def scanners(bench):
    """Sixty-four patients, each with a picture of the old scanner, of which one is cut short."""
    audits = bench.path / "own"
    audits.mkdir()
    (audits / "protocol.toml").write_text(PROTOCOL)
    (audits / "test_own.py").write_text(AUDITS)
    rows = [("file_name", "patient_id", "modality", "of", "given")]
    for i in range(N):
        Image.fromarray(pixels(i)).save(bench.path / f"{i:02d}.png")
        Image.fromarray(pixels(1000 + i)).save(bench.path / f"old{i:02d}.png")
        rows.append((f"{i:02d}.png", f"p{i}", "xray", "", ""))
        rows.append((f"old{i:02d}.png", "", "", f"{i:02d}.png", "old_scanner-s2"))
    damaged = bench.path / f"old{DAMAGED:02d}.png"
    damaged.write_bytes(damaged.read_bytes()[:200])
    with (bench.path / "list.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return bench


@pytest.fixture
def run(scanners, forked):
    def run(*arguments, folder="out"):
        return forked.pytest(
            "own", "--model=stub_models:base", "--audit-data=list.csv", f"--audit-out={folder}", *arguments,
            cwd=scanners.path,
        )  # fmt: skip

    return run


def states(bench, folder="out"):
    return [(check.state, check.part) for check in verify(bench.path / folder / "report.html", data="list.csv")]


def test_a_damaged_one_leaves_out_its_condition_only(scanners, run):
    done = run()
    assert done.ret == 0
    evidence = evidence_of(scanners, "out")
    assert {audit.family: audit.n_images for audit in evidence.audits} == {"old": N - 1, "all": N}
    assert evidence.data.n_images == N
    assert evidence.data.left_out == []
    assert evidence.run.probes.errors == 0
    [entry] = evidence.data.not_asked
    assert (entry.tasks, entry.n) == (["old_scanner-s2"], 1)
    assert entry.why.startswith("the picture to be shown cannot be decoded: ")
    assert f"1 of {N} images was not asked old_scanner-s2: {entry.why}" in " ".join(done.stdout.str().split())
    assert set(states(scanners)) == {("ok", part) for _, part in states(scanners)}
    from_store = verify(scanners.path / "out/report.html")
    assert "DOES NOT MATCH" not in {check.state for check in from_store}
    assert f"all answers to {N} of {N} images are in the store" in " ".join(check.words for check in from_store)
    again = run(folder="again")
    assert again.ret == 0
    assert evidence_of(scanners, "again").run.probes.asked == 0
    assert evidence_of(scanners, "again").answers == evidence.answers


def test_the_address_of_the_data_covers_them(scanners, run):
    run()
    before = evidence_of(scanners, "out")
    run("-k", "test_all", folder="part")
    part = evidence_of(scanners, "part")
    assert part.data.sha256 == before.data.sha256, "what is asked does not change what the data are"
    Image.fromarray(pixels(5000)).save(scanners.path / "old09.png")
    assert ("DOES NOT MATCH", "images") in states(scanners)
    done = run("--audit-baseline=out/evidence.json", folder="after")
    after = evidence_of(scanners, "after")
    assert after.data.sha256 != before.data.sha256
    assert [item.id for item in after.answers.items] == [item.id for item in before.answers.items]
    assert "the pixels of 1 of its 64 images are other ones now" in " ".join(done.stdout.str().split())
    with pytest.raises(AuditkitError, match="the images have the same ids and other pixels"):
        compare([before, after], ["before", "after"])
    assert ("ok", "images") in states(scanners, "after")
    assert "DOES NOT MATCH" not in {state for state, _ in states(scanners, "after")}


def test_a_second_run_of_part_of_the_audits_can_be_held_against_the_whole(scanners, run):
    run()
    run("-k", "test_all", "--audit-baseline=out/evidence.json", folder="part")
    verdicts = {a.id: a.verdict for a in evidence_of(scanners, "part").audits if a.family == "baseline"}
    assert verdicts
    assert "ERROR" not in verdicts.values()
