"""Entries of one's own: read from a protocol's tables, and every slip named with key, value and what is allowed."""

import sys

import pytest

from auditkit.perturbations import Entry, PerturbationError, law, read_entries

NOISE = "auditkit.perturbations.display.noise:gaussian_noise"
GOOD = {"function": NOISE, "stage": "display", "levels": [{"sd": 0.01}, {"sd": 0.02}]}


def test_a_sentence_needs_nothing_but_itself():
    entry = read_entries({"night.shift": {"sentence": "This image was taken at night."}})["night.shift"]
    assert entry.parameters(0) == {"sentence": "This image was taken at night."}
    assert (entry.stage, entry.label, entry.expects, entry.tier, entry.version) == (
        "words",
        "night.shift",
        "ignore",
        "own",
        "1",
    )


def test_a_sentence_may_say_more():
    table = {"sentence": "At night.", "label": "Night", "hazard": "Harm.", "modalities": ["ct"], "expects": "notice"}
    entry = read_entries({"night": table})["night"]
    assert (entry.label, entry.hazard, entry.modalities, entry.expects) == ("Night", "Harm.", ("ct",), "notice")
    assert entry.applies_to("ct")
    assert not entry.applies_to("mr")


def test_a_law_with_other_parameters():
    entry = read_entries({"grain": GOOD})["grain"]
    assert entry.strengths == (1, 2)
    assert entry.parameters(2) == {"sd": 0.02}
    assert entry.applies_to("anything")
    assert read_entries({"grain": entry.table()})["grain"] == entry


def test_without_levels_there_is_one_strength():
    entry = read_entries({"blank": {"function": "mine.laws:blank", "stage": "display"}})["blank"]
    assert (entry.strengths, dict(entry.parameters(0))) == ((0,), {})
    with pytest.raises(PerturbationError, match=r'single strength: use Perturbation\("blank"\)'):
        entry.parameters(1)


def test_order_is_kept():
    tables = {name: {"sentence": name} for name in ("b", "a", "c")}
    assert list(read_entries(tables)) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("jpeg", GOOD, r"^perturbations\.jpeg: auditkit ships an entry of this name\. Give yours another one"),
        ("again", {"sentence": "Again."}, "auditkit ships"),
        ("clean", GOOD, "'clean' cannot be a name"),
        ("a+b", GOOD, r"'a\+b' cannot be a name\. Use letters, digits and _"),
        ("a-s3", GOOD, "cannot be a name"),
        ("", GOOD, "cannot be a name"),
        ("x", "text", r"^perturbations\.x: a table is needed \(value seen: 'text'\)"),
        ("x", {"sentense": "A."}, r"x\.sentense: unknown key; allowed: "),
        ("x", {"sentence": "A.", "lable": "B"}, r"x\.lable: unknown key; allowed: .*Did you mean 'label'"),
        ("x", {"sentence": "A.", "levels": []}, r"x\.levels: unknown key"),
        ("x", {"sentence": ""}, r"x\.sentence: text without blanks.*value seen: ''"),
        ("x", {"sentence": " A."}, r"x\.sentence: text without blanks"),
        ("x", {"sentence": 3}, r"x\.sentence: .*value seen: 3"),
        ("x", {"sentence": "A {context}."}, r"x\.sentence: .*without \{context\}"),
        ("x", {"sentence": "A.", "expects": "ignored"}, r"x\.expects: allowed: notice, .*'ignored'.*mean 'ignore'"),
        ("x", {"stage": "display"}, r"^perturbations\.x\.function: missing"),
        ("x", {"function": NOISE}, r"^perturbations\.x\.stage: missing"),
        ("x", GOOD | {"stage": "disply"}, r"x\.stage: allowed: pictures, native, .*'disply'.*Did you mean 'display'"),
        ("x", GOOD | {"stage": "native"}, r"x\.stage: allowed: display, options, words, answer \(.* 'native'\)"),
        (
            "x",
            {"stage": "asking", "function": ""},
            r"x\.stage: allowed: .* answer \(value seen: 'asking'\)",
        ),
        ("x", GOOD | {"function": "noise"}, r"x\.function: package\.module:name is needed \(value seen: 'noise'\)"),
        ("x", GOOD | {"function": ""}, r"x\.function: is ''; the stage asking has none"),
        ("x", GOOD | {"function": 3}, r"x\.function: text is needed \(value seen: 3\)"),
        ("x", GOOD | {"version": ""}, r"x\.version: text is needed"),
        ("x", GOOD | {"version": 2}, r"x\.version: text is needed \(value seen: 2\)"),
        ("x", GOOD | {"modalities": "ct"}, r"x\.modalities: a list of names.*'ct'"),
        ("x", GOOD | {"levels": "strong"}, r"x\.levels: a list of tables.*'strong'"),
        ("x", GOOD | {"levels": []}, r"x\.levels: at least one table"),
        ("x", GOOD | {"levels": [{"sd": 1}, {"radius": 1}]}, r"x\.levels: level 2 has the parameters \['radius'\]"),
        ("x", GOOD | {"levels": [{"sd": float("nan")}]}, r"x\.levels: level 1 holds what JSON cannot hold"),
        ("x", GOOD | {"levels": [{"s d": 1}]}, r"x\.levels: level 1 has a parameter that cannot be an argument"),
        (
            "night",
            {"shift": {"sentence": "A."}},
            r"holds the table 'shift'.*quoted: \[perturbations.\"night\.shift\"\]",
        ),
    ],
)
def test_a_slip_is_named(name, table, message):
    with pytest.raises(PerturbationError, match=message):
        read_entries({name: table})


def test_where_stands_before_the_name():
    with pytest.raises(PerturbationError, match=r"^own\.toml\.x\.version: text"):
        read_entries({"x": GOOD | {"version": 2}}, "own.toml")
    with pytest.raises(PerturbationError, match=r"^perturbations: a table is needed"):
        read_entries([])


def test_an_entry_made_by_hand_is_checked_too():
    with pytest.raises(PerturbationError, match=r"^perturbations\.x\.stage: allowed"):
        Entry(name="x", label="X", stage="image", levels=({},), function="a:b")
    entry = Entry(name="x", label="", stage="words", levels=[{"a": 1}], function="a:b", modalities=["ct"])
    assert (entry.label, entry.modalities) == ("x", ("ct",))
    hash(entry)


# ------------------------------------------------------------------------------------------------------------- laws


def strict(pixels, key, *, sd):
    return pixels


not_a_function = 3


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("no_such_package.laws:blur", r".*cannot be imported \(ModuleNotFoundError: .*\)\. Install it"),
        ("auditkit.perturbations.display.noise:fog", ": 'auditkit.perturbations.display.noise' has no 'fog'"),
        (f"{__name__}:not_a_function", " is of type int and cannot be called"),
        (f"{__name__}:strict", r" cannot be called as strict\(pixels, key, radius=\.\.\.\): missing a required"),
        ("broken_laws:blur", r".*cannot be imported \(ZeroDivisionError"),
    ],
)
def test_a_law_that_cannot_be_had_names_entry_and_path(function, message, tmp_path, monkeypatch):
    (tmp_path / "broken_laws.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    entry = Entry(name="mine", label="", stage="display", levels=({"radius": 1},), function=function)
    with pytest.raises(PerturbationError, match=rf"^perturbation 'mine': its law '{function}'{message}"):
        law(entry)


def test_declaring_imports_nothing():
    read_entries({"far": {"function": "no_such_package.laws:blur", "stage": "display"}})
    assert "no_such_package" not in sys.modules
