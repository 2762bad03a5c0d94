"""What keeps two runs from being compared, each with its sentence, and reading the record of the earlier one."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from auditkit.ask.store import noted as noted_images
from auditkit.errors import AuditkitError
from auditkit.evidence import Data, ItemEntry, ModalityCount, Outcomes
from auditkit.measure.recorded import answers_sha256, data_sha256
from auditkit.plugin.options import OPTIONS
from auditkit.protocol.effects import change, share
from auditkit.protocol.read import read_protocol
from auditkit.records.baseline.earlier import earlier_runs
from auditkit.records.baseline.unlike import unlike_in_data, unlike_in_entries, unlike_in_plan
from auditkit.vocabulary import Perturbation
from tests.report.sample import lean

WORDS = change(Perturbation("institution.reputation.high"), name="words", family="metadata")
BLURRED = change(Perturbation("motion_blur", 3), name="blurred", family="metadata")
REFUSED = share("refused", "grade", wording="direct", family="answers")


@pytest.fixture
def pair(records, protocol):
    """An earlier record of six images, and a run planned on the same ones under the same protocol."""
    images = tuple(sorted(records(6), key=lambda r: r.id))
    base = lean()
    info = base.protocol.model_copy(
        update={
            "sha256": protocol.sha256(),
            "criteria": protocol.model_dump(mode="json"),
            "criteria_sha256": protocol.parts()["criteria"],
            "entries": protocol.entries,
        }
    )
    entries = [ItemEntry(id=r.id, cluster=r.cluster, modality=r.modality, synthetic=True) for r in images]
    columns = [{"task": "quality", "wording": "direct", "values": {"": " ".join(["50"] * 6)}}]
    answers = type(base.answers).model_validate(
        {"batch_size": 128, "items": entries, "columns": columns, "sha256": answers_sha256(entries)}
    )
    data = Data(
        source="made up",
        n_images=6,
        n_clusters=len({r.cluster for r in images}),
        modalities=[
            ModalityCount(modality=m, n_images=len(own), n_clusters=len({r.cluster for r in own}), n_synthetic=len(own))
            for m in sorted({r.modality for r in images})
            if (own := [r for r in images if r.modality == m])
        ],
        synthetic_share=1.0,
        sources={"made up": 6},
        licences={"none": 6},
        units={"patient": 6},
        sha256=data_sha256(r.content for r in images),
    )
    of_answers = {"answers": answers, "data": data, "outcomes": Outcomes(scored=6), "examples": []}
    earlier = base.model_copy(update={"protocol": info, **of_answers})
    run = SimpleNamespace(
        protocol=protocol,
        settings=SimpleNamespace(limit=None, references={}),
        batch_size=128,
        plan=SimpleNamespace(records=images, effects=(WORDS, BLURRED, REFUSED)),
        store=SimpleNamespace(manifests=lambda sha256: []),
    )
    return earlier, run


def with_protocol(run, old: str, new: str):
    run.protocol = read_protocol(run.protocol.source.replace(old, new), "protocol.toml")
    return run


def test_the_same_questions_about_the_same_images(pair):
    earlier, run = pair
    assert unlike_in_plan(earlier, run) == ""
    assert unlike_in_data(earlier, run.plan.records) == ""


def test_a_criterion_that_differs_is_named(pair):
    earlier, run = pair
    problem = unlike_in_plan(earlier, with_protocol(run, "at_least = 2.0", "at_least = 3.0"))
    assert problem == "its criteria are other ones: families.sensitivity.at_least: 2.0, now 3.0"


def test_many_criteria_that_differ_are_counted(pair):
    earlier, run = pair
    problem = unlike_in_plan(earlier, with_protocol(run, "within = 5.0", "within = 6.0"))
    assert problem.count("5.0, now 6.0") == 3
    assert "; and 1 more" in problem
    other = unlike_in_plan(earlier, with_protocol(run, "at_most = 0.10", "at_most = 0.12"))
    # Four families have each of the two limits: three are named, five counted.
    assert other.count("0.1, now 0.12") + other.count("5.0, now 6.0") == 3
    assert "; and 5 more" in other


def changed_entry(earlier, *names: str):
    """The record of a run in which these entries were defined otherwise."""
    entries = earlier.protocol.entries | dict.fromkeys(names, "0" * 64)
    return earlier.model_copy(update={"protocol": earlier.protocol.model_copy(update={"entries": entries})})


@pytest.mark.parametrize(
    ("entry", "hit"),
    [
        ("perturbation motion_blur", {"blurred"}),
        ("perturbation institution.reputation.high", {"words"}),
        ("wording grade.direct", {"grade.direct-refused"}),
        ("scorer grade", {"grade.direct-refused"}),
        ("wording quality.direct", {"words", "blurred"}),
        ("perturbation pixelate", set()),
        ("perturbation added.since", set()),
    ],
)
def test_an_entry_that_changed_matters_to_what_uses_it_and_to_nothing_else(pair, entry, hit):
    earlier, run = pair
    other = changed_entry(earlier, entry)
    assert unlike_in_plan(other, run) == ""
    for effect in run.plan.effects:
        problem = unlike_in_entries(other.protocol, effect, run.protocol)
        assert problem == (f"it was asked with another {entry}" if effect.name in hit else "")


def test_entries_that_every_effect_uses_are_said_before_anything_is_asked(pair):
    earlier, run = pair
    other = changed_entry(earlier, "wording quality.direct", "scorer grade")
    assert "another scorer quality" not in unlike_in_plan(other, run)
    assert unlike_in_plan(other, run) == "it was asked with another wording quality.direct"


def test_an_entry_that_the_earlier_protocol_did_not_cover_is_not_known(pair):
    earlier, run = pair
    entries = {name: sha for name, sha in earlier.protocol.entries.items() if name != "perturbation motion_blur"}
    info = earlier.protocol.model_copy(update={"entries": entries})
    problem = unlike_in_entries(info, BLURRED, run.protocol)
    assert problem.startswith("its protocol did not cover perturbation motion_blur")
    assert "covers" in problem
    assert unlike_in_entries(info, WORDS, run.protocol) == ""


def test_a_table_of_ones_own_that_nothing_compared_uses_does_not_matter(pair):
    earlier, run = pair
    run.protocol = read_protocol(
        run.protocol.source + '\n[perturbations."mine.praise"]\nsentence = "Everybody likes this image."\n',
        "protocol.toml",
    )
    assert run.protocol.sha256() != earlier.protocol.sha256
    assert unlike_in_plan(earlier, run) == ""


def test_records_without_answers(pair):
    earlier, run = pair
    old = earlier.model_copy(update={"answers": type(earlier.answers)()})
    assert "holds no answers" in unlike_in_plan(old, run)


def test_limit_and_batch_size(pair):
    earlier, run = pair
    run.batch_size = 64
    assert "--audit-batch-size=128" in unlike_in_plan(earlier, run)
    run.batch_size, run.settings.limit = 128, 4
    assert "all patients, this run takes 4 patients" in unlike_in_plan(earlier, run)


def test_the_same_pictures_under_another_salt(pair):
    earlier, run = pair
    others = [replace(r, id=f"x{r.id}") for r in run.plan.records]
    assert "under other ids" in unlike_in_data(earlier, others)
    assert "AUDITKIT_SALT" in unlike_in_data(earlier, others)


def test_missing_and_new_images_are_counted(pair):
    earlier, run = pair
    *kept, last = run.plan.records
    new = [replace(last.with_picture(content="a"), id="new1"), replace(last.with_picture(content="b"), id="new2")]
    problem = unlike_in_data(earlier, [*kept, *new])
    assert "1 of its 6 are not among these, 2 of these 7 are new" in problem


def test_other_pixels_other_patients_other_modalities(pair):
    earlier, run = pair
    first, *rest = run.plan.records
    assert "other pixels" in unlike_in_data(earlier, [first.with_picture(content="other"), *rest])
    assert "1 of the 6 images belong to other patients" in unlike_in_data(earlier, [replace(first, cluster="?"), *rest])
    assert "other modalities" in unlike_in_data(earlier, [replace(first, modality="oct"), *rest])


def test_images_of_other_pixels_are_named_where_a_store_noted_what_they_were(pair):
    earlier, run = pair
    first, second, *rest = run.plan.records
    now = [first.with_picture(content="other"), second.with_picture(content="another"), *rest]
    noted = {earlier.data.sha256: [noted_images(run.plan.records)]}
    problem = unlike_in_data(earlier, now, lambda sha256: noted.get(sha256, []))
    assert f"the pixels of 2 of its 6 images are other ones now: {first.id}, {second.id}" in problem
    assert "the store of that run can tell" in unlike_in_data(earlier, now)
    run.plan.records = tuple(now)
    assert unlike_in_plan(earlier, run) == "", "not known before the images are read"
    run.store = SimpleNamespace(manifests=lambda sha256: noted.get(sha256, []))
    assert unlike_in_plan(earlier, run) == problem


def test_other_levels_of_a_column(pair):
    earlier, run = pair
    records = [replace(r, attributes={"scanner": "a"}) for r in run.plan.records]
    items = [item.model_copy(update={"columns": {"scanner": "a"}}) for item in earlier.answers.items]
    earlier = earlier.model_copy(update={"answers": earlier.answers.model_copy(update={"items": items})})
    assert unlike_in_data(earlier, records) == ""
    moved = [replace(records[0], attributes={"scanner": "b"}), *records[1:]]
    assert "1 of the 6 images belong to other levels of scanner" in unlike_in_data(earlier, moved)


def test_what_may_turn_out_to_be_unreadable_is_not_yet_a_problem(pair):
    """A file listed by both runs that only decoding shows to be broken: the earlier run left it out."""
    earlier, run = pair
    broken = replace(run.plan.records[0].with_picture(content="broken"), id="z-broken")
    run.plan.records = (*run.plan.records, broken)
    assert "1 of these 7 are new" in unlike_in_plan(earlier, run)
    data = earlier.data.model_copy(update={"n_left_out": 1})
    assert unlike_in_plan(earlier.model_copy(update={"data": data}), run) == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{}", "is not evidence of this auditkit"),
        ("\xff", "is not evidence of this auditkit"),
    ],
)
def test_files_that_are_no_record(pair, tmp_path, content, words):
    _, run = pair
    path = tmp_path / "earlier.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    run.settings.references = {"anchor": path}
    with pytest.raises(AuditkitError, match=rf"--audit-anchor=.*earlier\.json.*{words}"):
        earlier_runs(run)


def test_marks_that_do_not_fit_the_images(pair, tmp_path):
    earlier, run = pair
    column = earlier.answers.columns[0].model_copy(update={"values": {"": "50 50"}})
    answers = earlier.answers.model_copy(update={"columns": [column]})
    (tmp_path / "evidence.json").write_text(earlier.model_copy(update={"answers": answers}).to_json())
    run.settings.references = {"baseline": tmp_path}
    with pytest.raises(AuditkitError, match=r"answers are damaged: .* 2 marks for 6 items"):
        earlier_runs(run)


def test_a_folder_stands_for_the_record_in_it(pair, tmp_path):
    earlier, run = pair
    (tmp_path / "evidence.json").write_text(earlier.to_json())
    run.settings.references = {"baseline": tmp_path, "anchor": tmp_path / "evidence.json"}
    one, two = earlier_runs(run)
    assert (one.role, two.role) == ("baseline", "anchor")
    assert one.sha256 == two.sha256
    assert one.problem == ""


def test_a_record_of_another_schema_is_refused(pair, tmp_path):
    earlier, run = pair
    (tmp_path / "evidence.json").write_text(earlier.model_copy(update={"schema_version": "1.0"}).to_json())
    run.settings.references = {"baseline": tmp_path}
    with pytest.raises(AuditkitError, match=r"schema version 1\.0, and this auditkit reads"):
        earlier_runs(run)


def test_what_is_only_shown_is_not_held_against_an_earlier_run(pair, tmp_path):
    earlier, run = pair
    (tmp_path / "evidence.json").write_text(earlier.to_json())
    run.settings.references = {"baseline": tmp_path}
    (one,) = earlier_runs(run)
    shown = run.protocol.families["metadata"].model_copy(update={"shown": True})
    run.protocol = run.protocol.model_copy(update={"families": {**run.protocol.families, "metadata": shown}})
    with pytest.raises(AuditkitError, match="of a family that is only shown"):
        one.audit(WORDS, "Does it hold?")


def test_early_looks_are_refused(pair, tmp_path):
    _, run = pair
    run.protocol = read_protocol(run.protocol.source, "protocol.toml", looks=2)
    run.settings.references = {"baseline": tmp_path / "evidence.json"}
    with pytest.raises(AuditkitError, match="2 looks are planned"):
        earlier_runs(run)


def test_what_a_file_says_of_itself_drives_no_terminal(pair, tmp_path):
    earlier, run = pair
    model = earlier.model.model_copy(update={"name": "evil\x1b[2J\x07\n::error::hi\u202e"})
    (tmp_path / "evidence.json").write_text(earlier.model_copy(update={"model": model}).to_json())
    run.settings.references = {"baseline": tmp_path}
    (one,) = earlier_runs(run)
    assert one.name.isprintable()
    assert "evil" in one.name


def test_a_record_edited_by_hand_is_refused(pair, tmp_path):
    """An image twice, or in another order, would pair answers with those about other images."""
    earlier, run = pair
    run.settings.references = {"baseline": tmp_path}
    first, *others = earlier.answers.items
    for images in ([first, first, *others[1:]], [*others, first]):
        answers = earlier.answers.model_copy(update={"items": images})
        (tmp_path / "evidence.json").write_text(earlier.model_copy(update={"answers": answers}).to_json())
        with pytest.raises(AuditkitError, match="answers are damaged"):
            earlier_runs(run)


@pytest.mark.parametrize("option", ["--audit-baseline", "--audit-anchor"])
def test_an_unset_variable_does_not_leave_the_gate_out(option):
    with pytest.raises(pytest.UsageError, match="names no file"):
        OPTIONS[option]["type"]("")
    assert OPTIONS[option]["type"]("a.json") == "a.json"
