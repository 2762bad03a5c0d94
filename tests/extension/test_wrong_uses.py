"""What is declared wrongly is refused with a sentence, before anything is asked."""

from pathlib import Path

import pytest

from auditkit import AuditkitError, Perturbation, change, load_protocol, mean
from auditkit.ask.plan import check_effects
from auditkit.protocol.covered import check_covered
from auditkit.protocol.extensions import Extensions, gathered
from tests.extension.ward_kit import scorers
from tests.extension.ward_kit.plugin import pytest_auditkit_perturbations

PROTOCOL = Path(__file__).parent / "ward_kit" / "audits" / "protocol.toml"
BARE = """
name = "bare"
seed = 1
{top}
[profiles.ci]
alpha = 0.05
[prompts]
score = "quality.direct"
[families.ours]
within = 5.0
size = 1
{tables}
"""


@pytest.fixture
def read(tmp_path):
    """Read a protocol with these lines in it."""

    def read(tables="", top="", extensions=None):
        path = tmp_path / "protocol.toml"
        path.write_text(BARE.format(top=top, tables=tables))
        return load_protocol(path, extensions=extensions or Extensions())

    return read


class NoRead:
    quantities = ()
    choices = None


class Strings:
    quantities = ("stars",)
    choices = None

    def read(self, text, finish, wording):
        return None


@pytest.mark.parametrize(
    ("tables", "top", "words"),
    [
        (
            '[perturbations]\nnight = { sentance = "At night." }',
            "",
            ["perturbations.night.sentance: unknown key"],
        ),
        (
            '[perturbations]\nnight = { sentence = "At night.", lable = "Night" }',
            "",
            ["perturbations.night.lable: unknown key", "Did you mean 'label'?"],
        ),
        ('[perturbations]\nnight = { sentence = " At night." }', "", ["perturbations.night.sentence", "blanks"]),
        ('[perturbations]\nagain = { sentence = "At night." }', "", ["auditkit ships an entry of this name"]),
        ('[perturbations]\nquality.low = { sentence = "At night." }', "", ["A name with dots is quoted"]),
        (
            '[perturbations]\ngrid = { stage = "display", function = "laws.grid" }',
            "",
            ["perturbations.grid.function: package.module:name is needed", "laws.grid"],
        ),
        (
            '[tasks.stars]\nscorer = "stars"\nwordings.direct = "How many?"',
            "",
            ["tasks.stars.scorer: allowed", "'stars'"],
        ),
        (
            '[tasks.stars]\nscorer = "tests.extension.test_wrong_uses:NoRead"\nwordings.direct = "How many?"',
            "",
            ["has no method read(text, finish, wording)"],
        ),
        (
            '[tasks.stars]\nscorer = "tests.extension.test_wrong_uses:Strings"\nwordings.direct = "How many?"',
            "",
            ["quantities", "Quantity"],
        ),
        (
            '[tasks.stars]\nscorer = "tests.extension.nowhere:Stars"\nwordings.direct = "How many?"',
            "",
            ["tests.extension.nowhere", "cannot be imported"],
        ),
        ('[tasks.quality]\nwordings.direct = "How good?"', "", ["auditkit ships a wording of this name"]),
        ("", 'covers = ["girl"]', ["girl"]),
        ("", 'perturbations = "absent.toml"', ["absent.toml", "beside the protocol"]),
        ("", 'perturbations = "no_such_package.entries:ENTRIES"', ["no_such_package", "cannot be imported"]),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_named(read, tables, top, words):
    with pytest.raises(AuditkitError) as caught:
        read(tables, top)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_a_law_that_cannot_be_imported_is_named_before_anything_is_asked(read):
    protocol = read('[perturbations]\ngrid = { stage = "display", function = "no_such_package.laws:grid" }')
    with pytest.raises(AuditkitError, match=r"(?s)ours/grid cannot be asked.*no_such_package"):
        check_effects([change(Perturbation("grid"), family="ours")], protocol)


def test_a_law_that_does_not_take_its_parameters_is_named(read):
    law = "tests.extension.ward_kit.laws:grid"
    protocol = read(f'[perturbations]\ngrid = {{ stage = "display", function = "{law}", levels = [{{ every = 8 }}] }}')
    with pytest.raises(AuditkitError, match=r"(?s)cannot be called as grid\(pixels, key, every=\.\.\.\)"):
        check_effects([change(Perturbation("grid"), family="ours")], protocol)


def test_what_the_protocol_does_not_cover_is_refused_with_the_line_to_add(read):
    protocol = read()
    with pytest.raises(AuditkitError, match=r'covers = \["pixelate"\]'):
        check_covered([change(Perturbation("pixelate", 3), family="ours")], protocol)


def test_what_plugins_add_is_named_by_the_protocol_that_covers_it():
    extensions = Extensions(pytest_auditkit_perturbations(), {"stars": scorers.Stars})
    protocol = load_protocol(PROTOCOL, extensions=extensions)
    assert {"perturbation grid", "perturbation signed", "perturbation night"} <= set(protocol.entries)
    check_effects([change(Perturbation("grid", 2), family="ward_words")], protocol)


def test_a_near_name_is_offered(read):
    with pytest.raises(AuditkitError, match=r"Did you mean 'pixelate'"):
        check_effects([change(Perturbation("pixellate", 3), family="ours")], read())


def test_a_value_that_a_scorer_does_not_give_is_refused(read):
    with pytest.raises(AuditkitError, match="sure"):
        check_effects([mean("quality", "sure", family="ours")], read())


def test_two_plugins_may_not_give_one_name_to_two_things():
    with pytest.raises(AuditkitError, match="two plugins answer"):
        gathered("pytest_auditkit_scorers", [{"stars": 1}, {"stars": 2}])


def test_a_plugin_must_answer_with_names():
    with pytest.raises(AuditkitError, match="Return a mapping"):
        gathered("pytest_auditkit_scorers", [[scorers.Stars]])
