import subprocess
import sys
from collections import Counter

import pytest

from auditkit import perturbations, tasks
from auditkit.protocol.shipped import DIRECTIONS, SHIPPED, metadata_contrasts, placebo_contrasts
from auditkit.vocabulary import Comparison, Contrast, Group, Series, Wordings

ALL = [comparison for listed in SHIPPED.values() for comparison in listed()]


def test_names_are_unique_within_their_family_and_families_are_what_they_are_listed_under():
    assert max(Counter((c.family, c.name) for c in ALL).values()) == 1
    assert all(c.family == family for family, listed in SHIPPED.items() for c in listed())
    assert all(isinstance(c, Comparison) for c in ALL)


def test_every_family_has_criteria_in_the_shipped_protocol_and_the_other_way_round(protocol):
    assert set(SHIPPED) == set(protocol.families)


def test_names_are_fit_for_test_ids_and_paths():
    for comparison in ALL:
        assert set(comparison.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-"), comparison.name
        assert str(comparison) == comparison.name
        assert len(comparison.name) < 80


def test_same_objects_in_the_same_order_each_time():
    assert [comparison for listed in SHIPPED.values() for comparison in listed()] == ALL


def test_order_does_not_depend_on_the_hash_seed():
    code = "from auditkit.protocol.shipped import SHIPPED; print([c.name for l in SHIPPED.values() for c in l()])"
    found = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str([c.name for c in ALL])


def test_every_level_is_set_against_its_counterpart_once_and_against_its_placebo():
    levels = tasks.levels()
    assert len(levels) >= 30
    pairs = Counter()
    for contrast in metadata_contrasts():
        treated, control = contrast.treated.context, contrast.control.context
        pairs[frozenset((treated, control))] += 1
        assert levels[treated].category == control.partition(".")[0]
    for level in levels.values():
        assert pairs.pop(frozenset((level.id, level.placebo))) == 1
        pairs.pop(frozenset((level.id, level.counterpart)), None)
    assert not pairs
    direct = [c for c in metadata_contrasts() if c.control.context in levels]
    assert len(direct) == len(levels) / 2


def test_every_placebo_is_set_against_silence():
    assert {c.treated.context for c in placebo_contrasts()} == set(tasks.placebos())
    assert all(str(c.control) == "clean" for c in placebo_contrasts())


@pytest.mark.parametrize("family", ["sensitivity", "discrimination"])
def test_every_corruption_has_a_series(family):
    assert [c.corruption for c in SHIPPED[family]()] == list(perturbations.catalogue())


def test_directions_exist():
    assert set(DIRECTIONS) <= set(perturbations.catalogue())


def test_every_template_and_every_cause_of_missing_answers_is_covered():
    groups = SHIPPED["answers"]()
    assert all(isinstance(c, Group) for c in groups)
    assert Counter(c.template for c in groups) == dict.fromkeys(tasks.templates(), 2)
    differential = SHIPPED["differential"]()
    assert {c.treated.corruption for c in differential} - {"clean"} == set(perturbations.catalogue())
    assert {c.treated.context for c in differential} - {"none"} == set(tasks.levels())


def test_repeatability_asks_twice_and_alone():
    twice, alone = SHIPPED["repeatability"]()
    assert (twice.treated.repeat, alone.treated.alone) == (1, True)


def test_every_probe_can_be_rendered():
    for comparison in ALL:
        assert isinstance(comparison, Contrast | Series | Wordings | Group)
        for probe in comparison.probes(["x"]):
            template = "score_100.direct" if probe.template == "@score" else probe.template
            assert tasks.render(template, probe.condition.context).user


@pytest.mark.parametrize("module", ["auditkit.plugin", "auditkit.protocol.shipped", "auditkit.vocabulary"])
def test_what_is_imported_at_collection_is_light(module):
    heavy = ["numpy", "scipy", "torch", "transformers", "pydantic", "sqlalchemy", "jinja2", "matplotlib", "PIL", "rich"]
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    if module == "auditkit.protocol.shipped":
        code = code.replace("; print", f"; [f() for f in {module}.SHIPPED.values()]; print")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
