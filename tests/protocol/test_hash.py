"""The hash covers what the protocol names, entry by entry: what is added elsewhere changes nothing."""

import sys
from dataclasses import replace
from types import MappingProxyType

import pytest

from auditkit import perturbations, tasks
from auditkit.errors import AuditkitError
from auditkit.perturbations import Entry
from auditkit.protocol.covered import check_covered
from auditkit.protocol.declared import declared_ids
from auditkit.protocol.effects import change, mean, share
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import read_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import Task
from auditkit.vocabulary import Perturbation

HEAD = """
name = "own"
profile = "ci"
seed = 1
{top}
[profiles.ci]
alpha = 0.05
[prompts]
score = "quality.direct"
"""
NIGHT = '[perturbations.night]\nsentence = "This image was taken at night."\n'


def reading(families=("metadata",), top="", rest="") -> Protocol:
    limits = "".join(f"[families.{name}]\nat_most = 0.5\n" for name in families)
    return read_protocol(HEAD.format(top=top) + limits + rest, "p.toml")


def fresh(protocol: Protocol) -> dict[str, str]:
    """The parts of a protocol's hash, under the catalogue as it is now."""
    return Protocol.model_validate(protocol.model_dump()).parts()


@pytest.fixture
def ship(monkeypatch):
    """Let the package ship other entries and tasks."""

    def ship(entries=(), other_tasks=()):
        held = perturbations.shipped()
        whole = MappingProxyType({**held, **{entry.name: entry for entry in entries}})
        every = MappingProxyType({**tasks.shipped(), **{task.id: task for task in other_tasks}})
        # The function `shipped` hides the module of the same name.
        for home in ("auditkit.perturbations", "auditkit.perturbations.shipped", "auditkit.perturbations.declared"):
            monkeypatch.setattr(sys.modules[home], "shipped", lambda: whole)
        for home in ("auditkit.tasks", "auditkit.tasks.declared"):
            monkeypatch.setattr(sys.modules[home], "shipped", lambda: every)
        for name, listed in SHIPPED.items():
            monkeypatch.setitem(SHIPPED, name, getattr(listed, "__wrapped__", listed))  # made of these, not kept

    return ship


def corruption(name, **changes) -> Entry:
    return replace(perturbations.shipped()["pixelate"], name=name, **changes)


def wording_of(task: Task, **texts) -> Task:
    wordings = dict(task.wordings)
    for name, text in texts.items():
        wordings[name] = replace(next(iter(task.wordings.values())), text=text)
    return replace(task, wordings=wordings)


FAMILIES = {name: reading([name]) for name in SHIPPED}


# ---------------------------------------------------------------------------------------------- what is added elsewhere


def test_a_new_corruption_changes_the_families_that_use_every_corruption(ship):
    before = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    ship([corruption("rain")])
    after = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    changed = {name for name in SHIPPED if after[name] != before[name]}
    shown = {"calibration", "subgroups", "embeddings"}
    assert changed == {"sensitivity", "discrimination", "differential", "recognition_loss", *shown}
    for name in changed:
        assert {key for key in after[name] if after[name][key] != before[name].get(key)} == {"perturbation rain"}


def test_a_new_sentence_that_no_family_uses_changes_nothing(ship):
    """Pairs are read off sentences.toml; an entry beside them belongs to no family."""
    before = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    ship([replace(perturbations.shipped()["institution.neutral"], name="weather.rain")])
    assert {name: fresh(protocol) for name, protocol in FAMILIES.items()} == before


def test_a_new_task_or_wording_changes_the_families_that_ask_all_of_them_only(ship):
    before = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    quality = tasks.shipped()["quality"]
    ship((), [wording_of(quality, late="Score from 0 to 100?"), replace(quality, id="sharpness")])
    after = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    new = {
        name: {key for key in after[name] if after[name][key] != before[name].get(key)}
        for name in SHIPPED
        if after[name] != before[name]
    }
    assert set(new) == {"answers", "templates", "scoring", "prompt"}
    assert new["templates"] == new["prompt"] == {"wording quality.late"}
    assert (
        new["answers"]
        == new["scoring"]
        == {"wording quality.late", "scorer sharpness"}
        | {f"wording sharpness.{wording}" for wording in quality.wordings}
    )


# ----------------------------------------------------------------------------------------------- what is changed itself

CHANGES = {
    "version": {"version": "2"},
    "parameters": {"levels": tuple({"scale": 0.9 * p["scale"]} for p in perturbations.shipped()["pixelate"].levels)},
    "function": {"function": "auditkit.perturbations.display.noise:gaussian_noise"},
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_law_changes_the_protocols_that_name_it_only(ship, what):
    before = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    ship([corruption("pixelate", **CHANGES[what])])
    after = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    changed = {name for name in SHIPPED if after[name] != before[name]}
    shown = {"calibration", "subgroups", "embeddings"}
    assert changed == {"sensitivity", "discrimination", "differential", "flags", "spared", "recognition_loss", *shown}
    for name in changed:
        assert {key for key in before[name] if after[name][key] != before[name][key]} == {"perturbation pixelate"}
    covering = reading(top='covers = ["pixelate"]')
    assert fresh(covering)["perturbation pixelate"] == after["sensitivity"]["perturbation pixelate"]


def test_words_about_an_entry_change_nothing(ship):
    before = fresh(FAMILIES["sensitivity"])
    ship([corruption("pixelate", label="Blocks", rationale="Other words.", source="Elsewhere.", hazard="Harm.")])
    assert fresh(FAMILIES["sensitivity"]) == before


def test_a_changed_sentence_changes_the_families_that_say_it(ship):
    before = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    sentence = perturbations.shipped()["institution.reputation.high"]
    ship([replace(sentence, levels=({"sentence": "Another sentence."},))])
    changed = {name for name in SHIPPED if fresh(FAMILIES[name]) != before[name]}
    assert changed == {"metadata", "differential"}


def test_a_changed_wording_changes_those_who_ask_it(ship):
    """Every family asks the score question; the fourth wording of it belongs to four only."""
    before = {name: fresh(protocol) for name, protocol in FAMILIES.items()}
    quality = tasks.shipped()["quality"]
    ship((), [wording_of(quality, inspector="Other words?")])
    assert {name for name in SHIPPED if fresh(FAMILIES[name]) != before[name]} == {
        "answers",
        "templates",
        "scoring",
        "prompt",
    }
    ship((), [wording_of(quality, direct="Other words?")])
    assert {name for name in SHIPPED if fresh(FAMILIES[name]) != before[name]} == set(SHIPPED)


def test_the_sha256_follows_the_parts(ship):
    before = FAMILIES["sensitivity"].sha256()
    again = Protocol.model_validate(FAMILIES["sensitivity"].model_dump())
    assert again.sha256() == before
    ship([corruption("pixelate", version="2")])
    assert Protocol.model_validate(FAMILIES["sensitivity"].model_dump()).sha256() != before


# ---------------------------------------------------------------------------------------------------------- covers, own


def test_covers_add_entries_tiers_tasks_and_wordings():
    plain = reading()
    for names, added in (
        (["pixelate"], {"perturbation pixelate"}),
        (["auditkit"], {"perturbation brightness_down", "perturbation contrast_up"}),
        (["grade.direct"], {"scorer grade", "wording grade.direct"}),
        (["again"], {"perturbation again"}),
    ):
        covering = reading(top=f"covers = {names}".replace("'", '"'))
        assert set(covering.entries) - set(plain.entries) == added
        assert covering.sha256() != plain.sha256()
    assert "scorer rating" in reading(top='covers = ["rating"]').entries


def test_tables_of_ones_own_are_covered_by_themselves():
    own = reading(rest=NIGHT + '[tasks.quality]\nwordings.late = "From 0 to 100?"\n')
    assert {"perturbation night", "wording quality.late"} <= set(own.entries)
    other = reading(rest=NIGHT.replace("night.", "noon.") + '[tasks.quality]\nwordings.late = "From 0 to 100?"\n')
    differing = {key for key, digest in own.parts().items() if other.parts()[key] != digest}
    assert differing == {"criteria", "perturbation night"}


def test_effects_that_ask_what_is_not_named_are_refused_with_the_line_to_add():
    protocol = reading()
    check_covered([change(Perturbation("institution.reputation.high"), family="metadata"), mean()], protocol)
    with pytest.raises(AuditkitError) as raised:
        check_covered([change(Perturbation("pixelate", 1), name="x", family="mine")], protocol)
    assert "mine/x uses pixelate, which the protocol does not name" in str(raised.value)
    assert 'Add the line covers = ["pixelate"] at the top of the protocol.' in str(raised.value)
    check_covered([change(Perturbation("pixelate", 1))], reading(top='covers = ["pixelate"]'))


@pytest.mark.parametrize(
    "effect",
    [
        change(Perturbation("pixelate", 1), Perturbation("expertise.routine.low")),
        share("refused", "grade", wording="direct", family="f"),
        mean("rating").under(Perturbation("again", 2)),
        mean("options.quality").by("baseline"),
        mean(wording="reader"),
    ],
    ids=str,
)
def test_the_line_to_add_is_enough(effect):
    protocol = reading(["placebo"], top='covers = ["jpeg"]')
    with pytest.raises(AuditkitError) as raised:
        check_covered([effect], protocol)
    line = str(raised.value).partition("Add the line ")[2].partition(" at the top")[0]
    assert '"jpeg"' in line, "what is covered already stays"
    check_covered([effect], reading(["placebo"], top=line))


def test_shipped_effects_are_covered_by_their_families(protocol):
    check_covered([effect for listed in SHIPPED.values() for effect in listed()], protocol)
    for name, listed in SHIPPED.items():
        check_covered(listed(), FAMILIES[name])


def test_only_audits_of_the_protocols_own_families_are_declared(protocol):
    """What a protocol leaves out is in its hash; a run of all that it declares is whole, and may pass."""
    whole = declared_ids(protocol.model_dump(mode="json"))
    shown = {"calibration", "scoring", "subgroups", "embeddings"}
    shown |= {"statements", "prompt", "recognition_accuracy", "without_picture"}
    assert {name for name in SHIPPED if protocol.families[name].shown} == shown
    every = {name: [f"{name}/{e.name}" for e in listed()] for name, listed in SHIPPED.items()}
    assert set(whole) == {id for name, ids in every.items() if name not in shown for id in ids}
    placebo = reading(["placebo"]).model_dump(mode="json")
    assert declared_ids(placebo) == sorted(f"placebo/{e.name}" for e in SHIPPED["placebo"]())
    placebo["families"]["placebo"]["shown"] = True
    assert declared_ids(placebo, ["baseline"]) == []
