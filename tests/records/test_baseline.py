"""What keeps two runs from being compared, each with its sentence, and reading the record of the earlier one."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from auditkit.errors import AuditkitError
from auditkit.evidence import Data, ImageEntry, Outcomes, Stratum
from auditkit.measure.recorded import answers_sha256, data_sha256
from auditkit.plugin.options import OPTIONS
from auditkit.protocol.read import read_protocol
from auditkit.records.baseline.earlier import earlier_runs
from auditkit.records.baseline.unlike import unlike_in_data, unlike_in_plan
from tests.report.sample import lean

IDS = [f"i{k}" for k in range(6)]


@pytest.fixture
def pair(records, protocol):
    """An earlier record of six images, and a run planned on the same ones under the same protocol."""
    images = tuple(sorted(records(6), key=lambda r: r.id))
    base = lean()
    info = base.protocol.model_copy(
        update={
            "sha256": protocol.sha256(),
            "criteria": protocol.model_dump(mode="json"),
            "parts": protocol.parts(),
        }
    )
    entries = [ImageEntry(id=r.id, cluster=r.cluster, modality=r.modality, synthetic=True) for r in images]
    columns = [{"template": "score_100.direct", "marks": " ".join(["50"] * 6)}]
    answers = type(base.answers).model_validate(
        {"batch_size": 128, "images": entries, "columns": columns, "sha256": answers_sha256(entries)}
    )
    data = Data(
        source="made up",
        n_images=6,
        n_clusters=len({r.cluster for r in images}),
        modalities=[
            Stratum(modality=m, n_images=len(own), n_clusters=len({r.cluster for r in own}), n_synthetic=len(own))
            for m in sorted({r.modality for r in images})
            if (own := [r for r in images if r.modality == m])
        ],
        synthetic_share=1.0,
        sources={"made up": 6},
        licences={"none": 6},
        sha256=data_sha256(r.content for r in images),
    )
    of_answers = {"answers": answers, "data": data, "outcomes": Outcomes(scored=6), "examples": []}
    earlier = base.model_copy(update={"protocol": info, **of_answers})
    run = SimpleNamespace(
        protocol=protocol,
        settings=SimpleNamespace(limit=None, references={}),
        batch_size=128,
        plan=SimpleNamespace(records=images),
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
    problem = unlike_in_plan(earlier, with_protocol(run, "floor = 2.0", "floor = 3.0"))
    assert "families.sensitivity.floor: 2.0, now 3.0" in problem
    assert "wording" not in problem
    assert "corruptions" not in problem


def test_many_criteria_that_differ_are_counted(pair):
    earlier, run = pair
    problem = unlike_in_plan(earlier, with_protocol(run, "margin = 5.0", "margin = 6.0"))
    assert problem.count("5.0, now 6.0") == 3
    other = unlike_in_plan(earlier, with_protocol(run, "modality_margin = 10.0", "modality_margin = 11.0"))
    assert "; and 2 more" in other


def test_wording_and_corruptions_are_told_apart(pair):
    earlier, run = pair
    for part, words in (("prompts", "wording of prompts"), ("corruptions", "the corruptions changed")):
        parts = earlier.protocol.parts | {part: "0" * 64}
        info = earlier.protocol.model_copy(update={"sha256": "1" * 64, "parts": parts})
        problem = unlike_in_plan(earlier.model_copy(update={"protocol": info}), run)
        assert words in problem
        assert "now" not in problem.partition("): ")[2]


def test_records_from_before_answers_were_kept(pair):
    earlier, run = pair
    old = earlier.model_copy(update={"answers": type(earlier.answers)(), "schema_version": "1.0"})
    assert "schema 1.0" in unlike_in_plan(old, run)


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
    new = [replace(last, id="new1", content="a"), replace(last, id="new2", content="b")]
    problem = unlike_in_data(earlier, [*kept, *new])
    assert "1 of its 6 are not among these, 2 of these 7 are new" in problem


def test_other_pixels_other_patients_other_modalities(pair):
    earlier, run = pair
    first, *rest = run.plan.records
    assert "other pixels" in unlike_in_data(earlier, [replace(first, content="other"), *rest])
    assert "1 of the 6 images belong to other patients" in unlike_in_data(earlier, [replace(first, cluster="?"), *rest])
    assert "other modalities" in unlike_in_data(earlier, [replace(first, modality="oct"), *rest])


def test_what_may_turn_out_to_be_unreadable_is_not_yet_a_problem(pair):
    """A file listed by both runs that only decoding shows to be broken: the earlier run left it out."""
    earlier, run = pair
    broken = replace(run.plan.records[0], id="z-broken", content="broken")
    run.plan.records = (*run.plan.records, broken)
    assert "1 of these 7 are new" in unlike_in_plan(earlier, run)
    data = earlier.data.model_copy(update={"n_left_out": 1})
    assert unlike_in_plan(earlier.model_copy(update={"data": data}), run) == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{}", "no evidence of this auditkit"),
        ("\xff", "no evidence of this auditkit"),
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
    column = earlier.answers.columns[0].model_copy(update={"marks": "50 50"})
    answers = earlier.answers.model_copy(update={"columns": [column]})
    (tmp_path / "evidence.json").write_text(earlier.model_copy(update={"answers": answers}).to_json())
    run.settings.references = {"baseline": tmp_path}
    with pytest.raises(AuditkitError, match=r"answers are damaged: .* 2 marks for 6 images"):
        earlier_runs(run)


def test_a_folder_stands_for_the_record_in_it(pair, tmp_path):
    earlier, run = pair
    (tmp_path / "evidence.json").write_text(earlier.to_json())
    run.settings.references = {"baseline": tmp_path, "anchor": tmp_path / "evidence.json"}
    one, two = earlier_runs(run)
    assert (one.role, two.role) == ("baseline", "anchor")
    assert one.sha256 == two.sha256
    assert one.problem == ""


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
    first, *others = earlier.answers.images
    for images in ([first, first, *others[1:]], [*others, first]):
        answers = earlier.answers.model_copy(update={"images": images})
        (tmp_path / "evidence.json").write_text(earlier.model_copy(update={"answers": answers}).to_json())
        with pytest.raises(AuditkitError, match="answers are damaged"):
            earlier_runs(run)


@pytest.mark.parametrize("option", ["--audit-baseline", "--audit-anchor"])
def test_an_unset_variable_does_not_leave_the_gate_out(option):
    with pytest.raises(pytest.UsageError, match="names no file"):
        OPTIONS[option]["type"]("")
    assert OPTIONS[option]["type"]("a.json") == "a.json"
