import re
from types import SimpleNamespace

import pytest

from auditkit import perturbations, tasks
from auditkit.errors import AuditkitError
from auditkit.protocol.read import load_protocol, read_protocol


@pytest.fixture
def shipped(pytestconfig) -> str:
    return (pytestconfig.rootpath / "audits" / "protocol.toml").read_text(encoding="utf-8")


@pytest.fixture
def read(tmp_path):
    def read(text: str | bytes, profile: str | None = None):
        path = tmp_path / "protocol.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_protocol(path, profile)

    return read


def fault(read, text: str | bytes, profile: str | None = None) -> str:
    with pytest.raises(AuditkitError) as raised:
        read(text, profile)
    assert "protocol.toml" in str(raised.value)
    assert "pydantic" not in str(raised.value)
    return str(raised.value)


def test_shipped_protocol(protocol):
    assert protocol.alpha == 0.05
    assert protocol.resolve_template("@score") == protocol.prompts.score
    assert protocol.resolve_template("grade.direct") == "grade.direct"
    assert all(family.hazard for family in protocol.families.values())
    with pytest.raises(ValueError, match="frozen"):
        protocol.seed = 1


def test_profile_can_be_chosen(read, shipped):
    assert read(shipped, "pilot").alpha == 0.025
    assert "'nightly' is not declared; declared: ci, pilot" in fault(read, shipped, "nightly")


CHANGES = [
    # an unknown key, anywhere
    ("max_side = 224", "max_sied = 256", ["images.max_sied: unknown key", "did you mean 'max_side'"]),
    ("resamples = 10000", "resample = 1", ["statistics.resample: unknown key", "did you mean 'resamples'"]),
    ('name = "auditkit default"', 'name = "x"\nsede = 3', ["sede: unknown key", "did you mean 'seed'"]),
    ("alpha = 0.025", "alpa = 0.025", ["profiles.pilot.alpa: unknown key; allowed: alpha"]),
    ("tail_share = 0.10", "tail_shear = 0.1", ["families.metadata.tail_shear: unknown key", "'tail_share'"]),
    # another type: nothing is taken for what it is not
    ("margin = 5.0", 'margin = "5.0"', ["families.direction.margin: ", "valid number", "'5.0'"]),
    ("seed = 20261122", "seed = true", ["seed: ", "valid integer"]),
    ("seed = 20261122", "seed = 1.5", ["seed: ", "valid integer", "1.5"]),
    ("alpha = 0.05", "alpha = [0.05]", ["profiles.ci.alpha"]),
    ("severities = [3, 4, 5]", "severities = 3", ["families.discrimination.severities"]),
    ("severities = [3, 4, 5]", 'severities = ["3"]', ["families.discrimination.severities.0"]),
    ("[families.metadata]", "[families]\nmetadata = 3\n[families.other]", ["families.metadata"]),
    # out of range
    ("alpha = 0.05", "alpha = 0.5", ["profiles.ci.alpha", "0.1", "0.5"]),
    ("alpha = 0.05", "alpha = nan", ["profiles.ci.alpha"]),
    ("margin = 5.0", "margin = -5.0", ["families.direction.margin", "greater than 0", "-5.0"]),
    ("margin = 5.0", "margin = inf", ["families.direction.margin"]),
    ("max_side = 224", "max_side = 8", ["images.max_side", "32"]),
    ("resamples = 10000", "resamples = 100", ["statistics.resamples", "1000"]),
    ("seed = 20261122", "seed = -1", ["seed"]),
    ("severities = [3, 4, 5]", "severities = [3, 6]", ["families.discrimination.severities.1", "5", "6"]),
    ("severities = [3, 4, 5]", "severities = []", ["families.discrimination.severities", "at least 1"]),
    ("severities = [3, 4, 5]", "severities = [3, 3]", ["severities [3, 3] name one twice"]),
    # gates
    ('gate = "sensitivity"', 'gate = "senstivity"', ["sensitivity.gate: 'senstivity' is not a gate", "'sensitivity'"]),
    ('gate = "sensitivity"\n', "", ["families.sensitivity.gate: missing"]),
    ("floor = 2.0 ", "# floor = 2.0 ", ["families.sensitivity.floor: missing"]),
    # templates
    ("score_100.direct", "score_100.dirct", ["prompts.score: unknown template", "did you mean 'score_100.direct'"]),
    ("score_100.direct", "options.degradation", ["no score under the template 'options.degradation'"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), CHANGES, ids=[new.split("\n")[0] for _, new, _ in CHANGES])
def test_what_is_wrong_is_named_with_key_value_and_what_is_allowed(read, shipped, old, new, words):
    assert old in shipped
    text = fault(read, shipped.replace(old, new, 1))
    assert all(word in text for word in words), text


@pytest.mark.parametrize("section", ["prompts", "profiles.ci"])
def test_missing_section(read, shipped, section):
    without = re.sub(rf"(?ms)^\[{re.escape(section)}\]\n.*?(?=^\[)", "", shipped)
    assert section.split(".")[0] in fault(read, without) or "'ci' is not declared" in fault(read, without)


def test_empty_file_lists_all_that_is_missing(read):
    text = fault(read, "")
    assert all(f"{key}: missing" in text for key in ("name", "seed", "profiles", "prompts", "families"))


def test_several_faults_are_told_together(read, shipped):
    text = fault(read, shipped.replace("max_side", "max_sied").replace("alpha = 0.025", "alpha = 3"))
    assert text.count("\n  ") == 2


def test_files_that_cannot_be_read(read, shipped, tmp_path):
    assert "not valid TOML" in fault(read, shipped.replace("[prompts]", "[prompts", 1))
    assert "line" in fault(read, shipped.replace("[prompts]", "[prompts", 1))
    assert "cannot be read" in fault(read, b"name = '\xff'")
    with pytest.raises(AuditkitError, match=r"does not exist.*--audit-protocol=FILE"):
        load_protocol(tmp_path / "none.toml")
    with pytest.raises(AuditkitError, match="cannot be read"):
        load_protocol(tmp_path)


def test_mark_of_windows_editors_and_line_ends_do_not_matter(read, shipped):
    assert read(b"\xef\xbb\xbf" + shipped.replace("\n", "\r\n").encode()).sha256() == read(shipped).sha256()


# --- the hash -------------------------------------------------------------------------------------------------------


def test_hash_ignores_comments_layout_and_the_order_of_keys(read, shipped):
    sections = re.split(r"(?m)^(?=\[)", "\n".join(line.split("#")[0].rstrip() for line in shipped.splitlines()) + "\n")
    turned = "\n\n# another comment\n".join([sections[0], *sections[:0:-1]])
    turned = turned.replace('gate = "equivalence"\nmargin = 5.0\n', 'margin = 5\ngate = "equivalence"\n')
    assert read(turned).sha256() == read(shipped).sha256()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("margin = 5.0", "margin = 5.1"),
        ("seed = 20261122", "seed = 20261123"),
        ("max_side = 224", "max_side = 223"),
        ("score_100.direct", "score_100.reader"),
        ("severities = [3, 4, 5]", "severities = [4, 5]"),
        ("alpha = 0.05", "alpha = 0.04"),
        ("Any extra sentence", "An extra sentence"),
    ],
)
def test_hash_changes_with_every_criterion(read, shipped, old, new):
    assert read(shipped.replace(old, new, 1)).sha256() != read(shipped).sha256()


def test_hash_changes_with_the_profile_that_is_used(read, shipped):
    assert read(shipped, "pilot").sha256() != read(shipped).sha256() == read(shipped, "ci").sha256()


def test_hash_changes_with_a_word_of_a_prompt(protocol, monkeypatch):
    before = protocol.sha256()
    monkeypatch.setattr(tasks, "digest", lambda: "other words")
    assert protocol.sha256() != before


def test_hash_changes_with_a_parameter_of_a_corruption(protocol, monkeypatch):
    before, real = protocol.sha256(), perturbations.catalogue()

    def other(change):
        entry = real["pixelate"]
        levels = [change(dict(level)) for level in entry.levels]
        return {**real, "pixelate": SimpleNamespace(name="pixelate", levels=levels)}

    monkeypatch.setattr(perturbations, "catalogue", lambda: other(lambda level: level))
    assert protocol.sha256() == before
    monkeypatch.setattr(perturbations, "catalogue", lambda: other(lambda level: {"scale": level["scale"] * 0.9}))
    assert protocol.sha256() != before


def test_hash_changes_with_the_version_of_the_corruptions(protocol, monkeypatch):
    before = protocol.sha256()
    monkeypatch.setattr(perturbations, "VERSION", "next")
    assert protocol.sha256() != before


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("points = 0", "baseline.points"),
        ("auroc = 5", "baseline.auroc"),
        ("point = 5.0", "did you mean 'points'"),
        ("points = 8.0\nmodality_points = 5.0", "modality_points = 5 is below points = 8"),
    ],
)
def test_margins_for_earlier_runs_are_checked(shipped, section, words):
    before, _, rest = shipped.partition("[baseline]")
    after = rest[rest.index("[families.") :]
    with pytest.raises(AuditkitError, match=re.escape(words)):
        read_protocol(f"{before}[baseline]\n{section}\n{after}", "p.toml")


def test_margins_for_earlier_runs_are_part_of_the_hash(protocol):
    changed = read_protocol(protocol.source.replace("modality_points = 12.0", "modality_points = 13.0"), "p.toml")
    assert changed.sha256() != protocol.sha256()
    assert changed.baseline.margin("points", together=True) == 5.0
    assert changed.baseline.margin("points", together=False) == 13.0


def test_a_modality_is_held_to_the_margin_of_all_where_it_has_none_of_its_own(protocol):
    text = "\n".join(line for line in protocol.source.splitlines() if not line.startswith("modality_"))
    assert read_protocol(text, "p.toml").baseline.margin("share", together=False) == 0.05
