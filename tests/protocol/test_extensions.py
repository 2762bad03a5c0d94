"""What lies outside the package: a file beside the protocol, an object of another package, what plugins add."""

import json
from dataclasses import replace

import pytest

from auditkit import perturbations
from auditkit.errors import AuditkitError
from auditkit.perturbations import Entry, read_entries
from auditkit.protocol.extensions import Extensions, with_extensions
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.vocabulary import Perturbation, Question
from tests.measure.axes import Axes

HEAD = """
name = "own"
profile = "ci"
seed = 1
{top}
[profiles.ci]
alpha = 0.05
[prompts]
score = "quality.direct"
[families.metadata]
within = 5.0
"""
NIGHT = 'sentence = "This image was taken at night."\n'
ENTRIES = read_entries({"night": {"sentence": "This image was taken at night."}})
RAIN = replace(perturbations.shipped()["pixelate"], name="rain", label="Rain", tier="weather")
NO_ENTRIES = "no mapping of names to auditkit.perturbations.Entry"
WRONG = {"night": "This image was taken at night."}


@pytest.fixture
def load(tmp_path):
    def load(top="", rest="", extensions=None, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        path = tmp_path / "protocol.toml"
        path.write_text(HEAD.format(top=top) + rest, encoding="utf-8")
        return load_protocol(path, extensions=extensions or Extensions())

    return load


def night_of(protocol):
    return protocol.catalogue.prompt(Question().under(Perturbation("night"))).user


# ------------------------------------------------------------------------------------------------------ files, objects


def test_a_table_a_file_beside_the_protocol_and_an_object_are_the_same(load):
    table = load(rest=f"[perturbations.night]\n{NIGHT}")
    file = load('perturbations = "extra.toml"', extra=f"[night]\n{NIGHT}")
    elsewhere = load('perturbations = "tests.protocol.test_extensions:ENTRIES"')
    for protocol in (table, file, elsewhere):
        assert night_of(protocol).endswith("\nThis image was taken at night.")
    assert table.sha256() == file.sha256()
    assert table.entries == file.entries == elsewhere.entries
    assert table.catalogue.entry("night").acting() == elsewhere.catalogue.entry("night").acting()


def test_tasks_may_lie_beside_the_protocol(load):
    wordings = '[quality]\nwordings.late = "From 0 to 100?"\n'
    file = load('tasks = "words.toml"', words=wordings)
    table = load(rest=wordings.replace("[quality]", "[tasks.quality]"))
    assert file.catalogue.prompt(Question(wording="late")).user == "From 0 to 100?"
    assert file.sha256() == table.sha256()


def test_the_record_of_a_run_needs_no_file(load, tmp_path):
    """What is resolved holds the tables themselves: it reads back where neither file nor plugin is."""
    protocol = load('perturbations = "extra.toml"', extra=f"[night]\n{NIGHT}")
    (tmp_path / "extra.toml").unlink()
    back = Protocol.model_validate(json.loads(json.dumps(protocol.model_dump(mode="json"))))
    assert night_of(back) == night_of(protocol)
    assert back.sha256() == protocol.sha256()


@pytest.mark.parametrize(
    ("top", "words"),
    [
        ('perturbations = "gone.toml"', ["perturbations = 'gone.toml'", "cannot be read", "beside the protocol"]),
        ('tasks = "gone.toml"', ["tasks = 'gone.toml'", "cannot be read"]),
        ('perturbations = "broken.toml"', ["perturbations = 'broken.toml'", "cannot be read"]),
        ('perturbations = "no_such_package:ENTRIES"', ["'no_such_package' cannot be imported", "mend the name"]),
        ('perturbations = "tests.protocol.test_extensions:GONE"', ["has no 'GONE'", "Mend the name after the colon"]),
        ('perturbations = "tests.protocol.test_extensions:WRONG"', [NO_ENTRIES]),
        ('perturbations = "tests.protocol.test_extensions:HEAD"', [NO_ENTRIES]),
        ('perturbations = "night"', ["allowed is a table, the name of a .toml file, or package.module:NAME"]),
        ('tasks = "pkg.mod:TASKS"', ["tasks: allowed is a table, the name of a .toml file (value seen: 'pkg.mod"]),
        ('perturbations = "wrong.toml"', ["perturbations.night.sentense: unknown key"]),
        ('perturbations = ":ENTRIES"', ["perturbations = ':ENTRIES'"]),
        ('perturbations = "tests.protocol.test_extensions:"', ["perturbations = 'tests.protocol.test_extensions:'"]),
    ],
)  # fmt: skip
def test_what_is_referred_to_wrongly_is_named(load, top, words):
    with pytest.raises(AuditkitError) as raised:
        load(top, broken="[night", wrong='[night]\nsentence = "Hm."\nsentense = "Hm."\n')
    assert str(raised.value).startswith("protocol ")
    assert all(word in str(raised.value) for word in words), str(raised.value)


# -------------------------------------------------------------------------------------------------------------- hooks


def test_a_plugins_perturbation_is_there_for_a_protocol_that_covers_it(load):
    plugin = Extensions(perturbations={"rain": RAIN})
    using = load('covers = ["rain"]', extensions=plugin)
    assert using.catalogue.entry("rain") == RAIN
    assert "perturbation rain" in using.entries
    assert isinstance(using.catalogue.entry("rain"), Entry)
    without = load(extensions=plugin)
    assert without.sha256() == load().sha256(), "an installed plugin changes nothing that does not name it"
    assert "rain" not in without.catalogue.perturbations
    back = Protocol.model_validate(json.loads(json.dumps(using.model_dump(mode="json"))))
    assert back.sha256() == using.sha256()
    assert back.catalogue.entry("rain") == RAIN


def test_a_new_version_of_a_plugins_law_changes_the_hash(load):
    one = load('covers = ["rain"]', extensions=Extensions(perturbations={"rain": RAIN}))
    two = load('covers = ["rain"]', extensions=Extensions(perturbations={"rain": replace(RAIN, version="2")}))
    assert one.entries["perturbation rain"] != two.entries["perturbation rain"]


def test_the_protocols_own_table_wins_over_a_plugins(load):
    own = f"[perturbations.rain]\n{NIGHT}"
    protocol = load('covers = ["rain"]', own, extensions=Extensions(perturbations={"rain": RAIN}))
    assert protocol.catalogue.entry("rain").stage == "words"


def test_what_no_plugin_adds_is_unknown(load):
    with pytest.raises(AuditkitError, match="no perturbation, tier or task 'rain'"):
        load('covers = ["rain"]')


def test_a_plugins_scorer_is_written_as_its_import_path(load):
    tasks = '[tasks.axes]\nscorer = "axes"\nwordings.direct = "How?"\n'
    protocol = load(rest=tasks, extensions=Extensions(scorers={"axes": Axes}))
    assert protocol.tasks["axes"]["scorer"] == "tests.measure.axes:Axes"
    assert [q.name for q in protocol.catalogue.task("axes").scorer.quantities] == ["overall", "clarity"]
    back = Protocol.model_validate(json.loads(json.dumps(protocol.model_dump(mode="json"))))
    assert back.sha256() == protocol.sha256()
    with pytest.raises(AuditkitError, match=r"tasks\.axes\.scorer"):
        load(rest=tasks)


def test_a_scorer_that_a_plugin_has_made_already_is_named_by_no_path(load):
    """An object has no import path of its own; whoever reads the record could not find it again."""
    tasks = '[tasks.axes]\nscorer = "axes"\nwordings.direct = "How?"\n'
    with pytest.raises(AuditkitError, match="axes"):
        load(rest=tasks, extensions=Extensions(scorers={"axes": Axes()}))


def test_what_is_given_is_not_changed(tmp_path):
    raw = {"covers": ["rain"], "perturbations": {}, "tasks": {"axes": {"scorer": "axes"}}}
    before = json.dumps(raw)
    found = with_extensions(raw, tmp_path, Extensions({"rain": RAIN}, {"axes": Axes}))
    assert json.dumps(raw) == before
    assert set(found["perturbations"]) == {"rain"}


@pytest.mark.parametrize("top", ["covers = 3", "covers = [[]]", 'covers = ["rain"]\nperturbations = 3', "tasks = 3"])
def test_other_types_are_faults_and_no_crash(load, top):
    with pytest.raises(AuditkitError, match=r"covers|perturbations|tasks"):
        load(top, extensions=Extensions({"rain": RAIN}, {"axes": Axes}))
