import math
import re

import pytest

from auditkit.errors import AuditkitError
from auditkit.protocol.declared import declared_ids
from auditkit.protocol.model import Family
from auditkit.protocol.read import load_protocol, read_protocol
from auditkit.vocabulary import Question


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
    assert protocol.resolve(Question()).words == protocol.prompts.score
    assert protocol.resolve(Question("grade")).words == "grade.direct"
    assert all(family.hazard or family.shown for family in protocol.families.values())
    with pytest.raises(ValueError, match="frozen"):
        protocol.seed = 1


def test_profile_can_be_chosen(read, shipped):
    assert read(shipped, "pilot").alpha == 0.025
    assert "'nightly' is not declared; declared: ci, pilot, quick" in fault(read, shipped, "nightly")


def test_a_profile_may_ask_some_of_the_families(read, shipped):
    """What it leaves out is not declared under it, so that a run of all that it asks is whole."""
    whole, quick = read(shipped), read(shipped, "quick")
    assert 0 < len(quick.families) < len(whole.families)
    assert set(quick.families) == set(quick.profiles["quick"].families)
    assert quick.families["placebo"] == whole.families["placebo"]
    assert quick.sha256() != whole.sha256()
    assert {id.partition("/")[0] for id in declared_ids(quick.model_dump(mode="json"))} == set(quick.families)
    assert not any(name.startswith("perturbation institution.reputation") for name in quick.entries)
    assert type(quick).model_validate(quick.model_dump()).sha256() == quick.sha256()
    few = shipped.replace("[profiles.quick]\n", "[profiles.quick]\npatients = 12\n")
    assert (whole.patients, read(few, "quick").patients, read(few).patients) == (None, 12, None)
    wrong = shipped.replace('families = ["placebo"', 'families = ["plazebo"')
    assert "profiles.quick.families names 'plazebo', which is not declared" in fault(read, wrong, "quick")
    assert read(wrong).families == whole.families


REQUIRED = 'required = ["severity 3", "severity 4", "severity 5"]'
CHANGES = [
    # an unknown key, anywhere
    ("max_side = 224", "max_sied = 256", ["images.max_sied: unknown key", "Did you mean 'max_side'"]),
    ("resamples = 10000", "resample = 1", ["statistics.resample: unknown key", "Did you mean 'resamples'"]),
    ('name = "auditkit default"', 'name = "x"\nsede = 3', ["sede: unknown key", "Did you mean 'seed'"]),
    ("alpha = 0.025", "alpa = 0.025", ["profiles.pilot.alpa: unknown key; allowed: alpha"]),
    ("share = 0.10 }", "shear = 0.1 }", ["families.metadata.tail.shear: unknown key", "Did you mean 'share'"]),
    ("at_least = 2.0", "at_lest = 2.0", ["families.sensitivity.at_lest: unknown key", "Did you mean 'at_least'"]),
    # another type: nothing is taken for what it is not
    ("at_most = 5.0", 'at_most = "5.0"', ["families.direction.at_most: ", "valid number", "'5.0'"]),
    ("seed = 20261122", "seed = true", ["seed: ", "valid integer"]),
    ("seed = 20261122", "seed = 1.5", ["seed: ", "valid integer", "1.5"]),
    ("alpha = 0.05", "alpha = [0.05]", ["profiles.ci.alpha"]),
    (REQUIRED, "required = 3", ["families.discrimination.required"]),
    (REQUIRED, "required = [3]", ["families.discrimination.required.0", "valid string", "3"]),
    ("tail = { beyond", "tail = 3 # { beyond", ["families.metadata.tail"]),
    ("[families.metadata]", "[families]\nmetadata = 3\n[families.other]", ["families.metadata"]),
    # out of range
    ("alpha = 0.05", "alpha = 0.5", ["profiles.ci.alpha", "0.1", "0.5"]),
    ("alpha = 0.05", "alpha = nan", ["profiles.ci.alpha"]),
    ("at_most = 5.0", "at_most = -5.0", ["families.direction.at_most", "greater than 0", "-5.0"]),
    ("at_most = 5.0", "at_most = nan", ["families.direction.at_most"]),
    ("at_most = 5.0", "at_most = inf", ["families.direction.at_most"]),
    ("share = 0.10 }", "share = 10 }", ["families.metadata.tail.share", "less than 1", "10"]),
    ("max_side = 224", "max_side = 8", ["images.max_side", "32"]),
    ("resamples = 10000", "resamples = 100", ["statistics.resamples", "1000"]),
    ("seed = 20261122", "seed = -1", ["seed"]),
    (REQUIRED, 'required = ["severity 3", "severity 3"]', ["required ['severity 3', 'severity 3'] names one twice"]),
    # limits
    ("at_least = 2.0 ", "# at_least = 2.0 ",
     ["families.sensitivity: has no limit; give exactly one of within, at_most, at_least, or shown = true"]),
    ("at_least = 2.0 ", "at_least = 2.0\nwithin = 3.0 ", ["families.sensitivity: has within and at_least; give"]),
    ("at_least = 2.0 ", "shown = true\nin_each = 2.0 ", ["families.sensitivity: in_each"]),
    ("in_each = 10.0", "in_each = 4.0", ["families.direction: in_each = 4 is stricter than at_most = 5"]),
    ("at_least = 2.0 ", "at_least = 2.0\nin_each = 3.0 ", ["in_each = 3 is stricter than at_least = 2"]),
    ("at_most = 5.0", "at_most = 5.0\ntail = { beyond = 25.0, share = 0.1 }",
     ["families.direction: tail goes with within"]),
    # words
    ('"quality.direct"', '"quality.dirct"', ["prompts.score: unknown wording", "Did you mean 'quality.direct'"]),
    ('"quality.direct"', '"options.degradation.direct"', ["no score under the wording 'options.degradation.direct'"]),
    ('"quality.direct"', '"score_100.direct"', ["prompts.score: unknown wording 'score_100.direct'", "quality.direct"]),
    # what is covered
    ('profile = "ci" ', 'covers = ["pixelat"]\nprofile = "ci" ',
     ["no perturbation, tier or task 'pixelat'", "pixelate"]),
    ('profile = "ci" ', 'covers = "pixelate"\nprofile = "ci" ', ["covers: "]),
    ('profile = "ci" ', 'covers = [1]\nprofile = "ci" ', ["covers.0: ", "valid string"]),
    # tables of one's own
    ('profile = "ci" ', 'perturbations = 3\nprofile = "ci" ', ["perturbations: "]),
    ('profile = "ci" ', 'tasks = "wording"\nprofile = "ci" ', ["tasks: allowed is a table, the name of a .toml file"]),
    ("[images]", '[perturbations.pixelate]\nsentence = "Hm."\n[images]', ["pixelate: auditkit ships an entry of this"]),
    ("[images]", '[perturbations.night]\nsentense = "Hm."\n[images]', ["perturbations.night"]),
    ("[images]", '[tasks.mine]\nscorer = "score_20"\nwordings.direct = "?"\n[images]', ["tasks.mine.scorer"]),
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
    assert "is no text file in UTF-8" in fault(read, b"name = '\xff'")
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
    turned = turned.replace("within = 5.0\nin_each = 10.0\n", "in_each = 10\nwithin = 5\n")
    assert read(turned).sha256() == read(shipped).sha256()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("at_most = 5.0", "at_most = 5.1"),
        ("seed = 20261122", "seed = 20261123"),
        ("max_side = 224", "max_side = 223"),
        ('"quality.direct"', '"quality.reader"'),
        (REQUIRED, 'required = ["severity 4", "severity 5"]'),
        ("in_each = 10.0", "in_each = 11.0"),
        ("in_each = 10.0", ""),
        ("beyond = 25.0", "beyond = 20.0"),
        ("within = 10.0", "at_most = 10.0"),
        ("at_most = 5.0", 'at_most = 5.0\nby = "scanner"'),
        ("at_most = 5.0", "at_most = 5.0\nshown = true"),
        ("alpha = 0.05", "alpha = 0.04"),
        ("Any extra sentence", "An extra sentence"),
    ],
)
def test_hash_changes_with_every_criterion(read, shipped, old, new):
    assert read(shipped.replace(old, new, 1)).sha256() != read(shipped).sha256()


def test_hash_changes_with_the_profile_that_is_used(read, shipped):
    assert read(shipped, "pilot").sha256() != read(shipped).sha256() == read(shipped, "ci").sha256()


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("points = 0", "baseline.points"),
        ("auroc = 5", "baseline.auroc"),
        ("point = 5.0", "Did you mean 'points'"),
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


# --- limits ---------------------------------------------------------------------------------------------------------

OLD = [
    ('gate = "equivalence"\nmargin = 5.0\nmodality_margin = 10.0\ntail_points = 20.0\ntail_share = 0.2',
     "within = 5.0; in_each = 10.0; tail = { beyond = 20.0, share = 0.2 }"),
    ('gate = "equivalence"\nmargin = 5.0', "within = 5.0; tail = { beyond = 25.0, share = 0.1 }"),
    ('gate = "template_equivalence"\nmargin = 10.0', "within = 10.0"),
    ('gate = "not_raised"\nmargin = 5.0', "at_most = 5.0"),
    ('gate = "monotone"\ntolerance = 3.0', "at_most = 3.0"),
    ('gate = "sensitivity"\nfloor = 2.0', "at_least = 2.0"),
    ('gate = "discrimination"\nfloor = 0.7\nseverities = [3, 5]',
     'at_least = 0.7; required = ["severity 3", "severity 5"]'),
    ('gate = "rate"\ncap = 0.1', "at_most = 0.1"),
    ('gate = "rate_difference"\nmargin = 0.1', "at_most = 0.1"),
    ('gate = "agreement"\ncap = 0.1', "at_most = 0.1"),
    ('gate = "agreement"', "at_most = ..."),
    ('gate = "senstivity"\nfloor = 2.0', "within = ... or at_most = ... or at_least = ..."),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "now"), OLD, ids=[lines.replace("\n", " ") for lines, _ in OLD])
def test_a_gate_is_refused_with_the_lines_to_type(read, shipped, lines, now):
    text = fault(read, f"{shipped}\n[families.mine]\n{lines}\n")
    typed = "\n".join(f"    {line}" for line in ("[families.mine]", *now.split("; ")))
    assert text.endswith(f"families.mine.gate: a family has a limit instead; write\n{typed}")


@pytest.mark.parametrize(("lines", "now"), [pair for pair in OLD if "..." not in pair[1]])
def test_the_lines_to_type_are_read(read, shipped, lines, now):
    family = read(f"{shipped}\n[families.mine]\n" + now.replace("; ", "\n") + "\n").families["mine"]
    number = float(re.search(r"(?:margin|tolerance|floor|cap) = ([0-9.]+)", lines).group(1))
    assert family.limit == number
    assert family.verb in now


def test_regions_by_verb():
    inf = math.inf
    within, most, least = Family(within=5.0), Family(at_most=5.0), Family(at_least=5.0)
    assert [f.ends(together=True) for f in (within, most, least)] == [(-5.0, 5.0), (-inf, 5.0), (5.0, inf)]
    wide = Family(within=5.0, in_each=10.0), Family(at_most=5.0, in_each=10.0), Family(at_least=5.0, in_each=2.0)
    assert [f.ends(together=True) for f in wide] == [(-5.0, 5.0), (-inf, 5.0), (5.0, inf)]
    assert [f.ends(together=False) for f in wide] == [(-10.0, 10.0), (-inf, 10.0), (2.0, inf)]
    assert Family(shown=True).ends(together=True) == (-inf, inf)
    assert (Family(shown=True).verb, Family(shown=True).limit) == (None, None)


def test_what_is_required():
    assert Family(within=5.0).requires("severity 1")
    assert [Family(within=5.0, required=("a", "b")).requires(label) for label in "abc"] == [True, True, False]
    assert not Family(within=5.0, required=("a",), shown=True).requires("a")
