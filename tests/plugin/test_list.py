"""``--audit-list`` says what the audits ask, without a model, without an image, and without running any."""

import json

import pytest

from tests.plugin.conftest import calls

OWN = '''
import pytest
from auditkit import Perturbation, areas, calibration, change, share

NIGHT = Perturbation("night")


@pytest.mark.source("arXiv:2607.01973", "doi:10.1000/182")
@pytest.mark.hazard("HAZ-7")
class TestHour:
    @pytest.mark.source("a letter")
    @pytest.mark.hazard("HAZ-9")
    @pytest.mark.parametrize("effect", [change(NIGHT, family="hour")], ids=str)
    def test_hour(self, effect, audit):
        """Does the hour
        move the score?"""
        audit.within(effect)


@pytest.mark.parametrize("effect", [share("refused", name="refused-" + "x" * 99, family="given")], ids=["long"])
def test_given(effect, audit):
    audit.at_most(effect)


@pytest.mark.parametrize("effect", [calibration(family="sure")], ids=str)
def test_sure(effect, audit):
    """Is it as sure as it is right?"""
    audit.shows(effect)


@pytest.mark.parametrize("effect", [areas("pixelate", family="told")], ids=str)
def test_told(effect, audit):
    """Are pixels seen?"""
    audit.at_least(effect)


def test_of_something_else():
    raise RuntimeError("this must not run")
'''
FAMILIES = """
[perturbations.night]
sentence = "This image was taken at night."
label = "Night shift"
hazard = "Images taken at night are waved through."
[families.hour]
within = 10.0
in_each = 25.0
by = "site"
hazard = "The hour decides."
size = 1
[families.sure]
shown = true
[families.told]
at_least = 0.6
required = ["severity 5"]
size = 1
"""


@pytest.fixture
def listed(bench, forked):
    """List the audits of the bench, without a model and without images."""

    def run(*arguments, path="audits"):
        return forked.pytest(path, *arguments, cwd=bench.path)

    return run


@pytest.fixture
def own(bench):
    protocol = bench.path / "audits/protocol.toml"
    protocol.write_text('covers = ["pixelate"]\n' + protocol.read_text() + FAMILIES)
    (bench.path / "audits/test_own.py").write_text(OWN)


def facts(result) -> list[str]:
    return [line.strip() for line in result.stdout.lines]


def words(result) -> str:
    """What was printed, without the places where lines were broken."""
    return " ".join(result.stdout.str().split())


def test_every_audit_is_listed_with_what_is_known_before_a_run(bench, listed):
    result = listed("--audit-list")
    assert result.ret == 0
    said = facts(result)
    assert "Does the score fall when the image gets worse? [sensitivity]" in said
    assert "The score must not move with words about the institution." in said
    assert "test:     audits/test_audits.py::test_metadata" in said
    assert said.count("source:   not stated") == 3
    assert "12 audits:" in said  # four pairs: two against neutral and one against each other
    assert "Reputation: high vs low institution.reputation-high-vs-low" in words(result)
    assert "hazard: Prestige buys a pass: degraded images from admired hospitals reach the reader" in words(result)
    # 0.95^59 < 0.05, and the tail: 0.9^29 < 0.05; a share of changed answers alike.
    limit = "limit: within ±5.0 points; at most 10 % more answers jump by more than 25 points than do by noise"
    assert limit in words(result)
    patients = "patients: a PASS takes at least"
    assert f"{patients} 59 in each modality and 59 together, if nothing changes" in words(result)
    assert f"{patients} 29 in each modality and 29 together, if no answer differs" in words(result)
    assert f"{patients} 5 in each modality and 5 together, if the score falls as far as its scale allows" in words(
        result
    )
    lines = result.stdout.lines  # the first are pytest's own, with the path of the folder
    first = next(i for i, line in enumerate(lines) if "families, protocol" in line)
    assert max(map(len, lines[first:])) <= 100


def test_nothing_is_asked_and_nothing_is_left(bench, listed):
    assert listed("--audit-list", "--audit-model=stub_models:base", "--audit-data=no-such-folder").ret == 0
    assert calls(bench) == []
    assert not (bench.path / ".auditkit").exists()
    assert not (bench.path / "reports").exists()


def test_audits_of_ones_own(listed, own):
    result = listed("--audit-list", path="audits/test_own.py")
    assert result.ret == 0
    said = facts(result)
    assert "4 audits in 4 families, protocol “test”, profile ci (alpha 0.05 per side)" in said
    # In the protocol's order, and last what it does not declare.
    assert [line for line in said if line.endswith("]") and "[" in line and ":" not in line] == [
        "Hour [hour]", "Sure [sure]", "Told [told]", "Given [given]",
    ]  # fmt: skip
    assert "Does the hour move the score?" in said
    assert "test:     audits/test_own.py::TestHour::test_hour" in said
    assert "source:   a letter; arXiv:2607.01973; doi:10.1000/182" in said
    assert "hazard:   The hour decides. [HAZ-9, HAZ-7]" in said
    assert "hazard: Images taken at night are waved through." in said
    assert "limit:    within ±10.0 points, in each ±25.0" in said
    # 0.75^11 = 0.042 and 0.9^29 = 0.047
    assert "patients: a PASS takes at least 11 in each site and 29 together, if nothing changes" in said
    # 0.6^(12 / 2) = 0.047, 0.6^(11 / 2) = 0.060
    assert "patients: a PASS takes at least 12 in each modality, if all images are told apart" in said
    assert "limit:    at least AUROC 0.60; required at severity 5" in said
    assert "patients: nothing passes or fails" in said


def test_an_audit_without_family_and_docstring_is_listed_all_the_same(listed, own):
    result = listed("--audit-list", "-k", "test_given")
    assert result.ret == 0
    said = facts(result)
    assert "1 audit in 1 family, protocol “test”, profile ci (alpha 0.05 per side)" in said
    assert "test_given" in said
    assert "limit:    none, the protocol declares no [families.given]" in said
    assert "patients: not known before the run" in said
    assert "refused-" + "x" * 99 in said  # a name is never broken


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("-k", "asked"), ["asked-twice"]),
        (("-k", "teaching and low-vs-neutral"), ["institution.teaching-low-vs-neutral"]),
        (("--deselect=audits/test_audits.py::test_metadata",), ["asked-twice", "gaussian_noise"]),
    ],
)
def test_what_was_selected_is_listed(bench, listed, arguments, names):
    assert listed(f"--audit-list-json={bench.path}/list.json", *arguments).ret == 0
    found = json.loads((bench.path / "list.json").read_text(encoding="utf-8"))["audits"]
    assert [audit["name"] for audit in found] == names


def test_the_list_as_json(bench, listed, own):
    result = listed("--audit-list-json=list.json", "-k", "test_hour")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["auditkit: 1 audit listed in list.json"])
    record = json.loads((bench.path / "list.json").read_text(encoding="utf-8"))
    assert record["protocol"]["alpha"] == 0.05
    assert len(record["protocol"]["sha256"]) == 64
    [audit] = record["audits"]
    assert (audit["family"], audit["title"]) == ("hour", "Night shift")
    assert audit["sources"] == ["a letter", "arXiv:2607.01973", "doi:10.1000/182"]
    assert audit["hazard_ids"] == ["HAZ-9", "HAZ-7"]
    assert audit["least"] == {"each": 11, "together": 29, "best": "if nothing changes"}


def test_a_file_without_a_name_is_refused(listed):
    result = listed("--audit-list-json=")
    assert result.ret == 4
    assert "--audit-list-json= names no file: give one to write" in result.stderr.str()


def test_a_file_that_cannot_be_written_is_said(listed):
    result = listed("--audit-list-json=no/such/folder/list.json")
    assert result.ret == 4
    assert "no/such/folder" in result.stderr.str()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("within = 5.0", "within = 500.0"), "cannot be reached by institution"),
        (("at_least = 2.0", "at_leest = 2.0"), "at_leest"),
        (("at_least = 2.0", "at_least = "), "is not valid TOML"),
    ],
)
def test_a_wrong_protocol_gives_the_sentence(bench, listed, change, said):
    protocol = bench.path / "audits/protocol.toml"
    protocol.write_text(protocol.read_text().replace(*change))
    result = listed("--audit-list")
    assert result.ret == 4
    assert said in result.stderr.str()
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_protocol_that_is_not_there_gives_the_sentence(listed):
    result = listed("--audit-list", "--audit-protocol=none.toml")
    assert result.ret == 4
    assert "none.toml does not exist. Give one with --audit-protocol=FILE." in result.stderr.str()


def test_an_audit_the_protocol_does_not_cover_gives_the_line_to_add(bench, listed, own):
    protocol = bench.path / "audits/protocol.toml"
    text = protocol.read_text().replace('covers = ["pixelate"]', "")
    protocol.write_text(text.replace("[families.sensitivity]\nat_least = 2.0", ""))  # whose audits name it too
    result = listed("--audit-list", "-k", "test_told")
    assert result.ret == 4
    assert "covers = " in result.stderr.str()


def test_workers_are_not_needed_to_list(listed):
    alone, workers = listed("--audit-list"), listed("--audit-list", "-n", "2")
    assert workers.ret == 0

    def own_lines(result):
        lines = result.stdout.lines
        return lines[next(i for i, line in enumerate(lines) if "audits in" in line) : -1]

    assert own_lines(workers) == own_lines(alone)


def test_what_stands_beside_an_audit_is_not_listed_again(bench, listed):
    assert listed(f"--audit-list-json={bench.path}/list.json", "-k", "asked", "--audit-baseline=none.json").ret == 0
    assert len(json.loads((bench.path / "list.json").read_text(encoding="utf-8"))["audits"]) == 1


def test_what_takes_an_option_is_listed_without_it(bench, listed):
    protocol = bench.path / "audits/protocol.toml"
    protocol.write_text(protocol.read_text() + "[families.embeddings]\nshown = true\n")
    (bench.path / "audits/test_inside.py").write_text(
        "import pytest\n"
        "from auditkit import displacement\n"
        '@pytest.mark.parametrize("effect", [displacement("vision", "pixelate", family="embeddings")], ids=str)\n'
        "def test_inside(effect, audit):\n"
        "    audit.shows(effect)\n"
    )
    result = listed("--audit-list", path="audits/test_inside.py")
    assert result.ret == 0
    assert "left out: without --audit-embeddings" in facts(result)


def test_without_an_audit_it_says_so(bench, listed):
    bench.makepyfile(test_other="def test_other(): raise RuntimeError('this must not run')")
    result = listed("--audit-list", path="test_other.py")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["auditkit: no audit was collected."])


def test_a_file_that_cannot_be_collected_ends_the_session_as_ever(bench, listed):
    (bench.path / "audits/test_broken.py").write_text("import no_such_module_at_all")
    result = listed("--audit-list")
    assert result.ret == 2
    assert "no_such_module_at_all" in result.stdout.str()
