"""Which files below a folder are runs of a model, and what is said of the others."""

import pytest

from auditkit.errors import AuditkitError
from auditkit.records.history import history, of_model, search
from tests.records.history.conftest import IMAGES, WORDS, written
from tests.records.history.made_up import Version, run, write


@pytest.fixture(scope="module")
def two(versions):
    return versions[:2]


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(AuditkitError, match=r"does not exist.*auditkit history reports/"):
        search(tmp_path / "no")
    (tmp_path / "file").write_text("x")
    with pytest.raises(AuditkitError, match="is a file"):
        search(tmp_path / "file")


def test_a_folder_without_runs(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(AuditkitError, match=r"holds no evidence\.json"):
        search(tmp_path)


def test_a_folder_of_damaged_records_says_of_each_what_is_wrong(tmp_path):
    (tmp_path / "evidence.json").write_text("{")
    with pytest.raises(AuditkitError, match=r"none of the records .* can be used:\n  evidence\.json: "):
        search(tmp_path)


def test_one_run_is_no_history(tmp_path, two):
    write(two[0], tmp_path)
    runs, _ = of_model(search(tmp_path), None)
    with pytest.raises(AuditkitError, match=r"one run .* a history takes two or more"):
        history(runs, tmp_path)


def test_several_models_are_to_be_told_apart(tmp_path, two, protocol):
    for evidence in two:
        write(evidence, tmp_path)
    write(run(3, Version(), protocol, images={"ct": 30}, effects=WORDS[:1], name="other"), tmp_path)
    searched = search(tmp_path)
    with pytest.raises(AuditkitError, match=r"2 models: other \(1\), scorer \(2\).*--model=scorer"):
        of_model(searched, None)
    runs, others = of_model(searched, "scorer")
    assert ([one.evidence.run.id for one in runs], others) == ([e.run.id for e in two], {"other": 1})
    with pytest.raises(AuditkitError, match="Did you mean 'scorer'"):
        of_model(searched, "scorre")


def test_runs_are_in_the_order_of_time_whatever_their_folders_are_called(tmp_path, two):
    for folder, evidence in zip(("b", "a"), two, strict=True):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "evidence.json").write_text(evidence.to_json())
    assert [one.path for one in search(tmp_path).found] == ["b/evidence.json", "a/evidence.json"]


def test_latest_is_not_another_run_and_a_copy_is_left_out(tmp_path, two):
    paths = [write(evidence, tmp_path) for evidence in two]
    (tmp_path / "scorer" / "latest").symlink_to(paths[1].parent.name, target_is_directory=True)
    assert len(search(tmp_path).found) == 2
    (tmp_path / "zcopy").mkdir()
    (tmp_path / "zcopy" / "evidence.json").write_bytes(paths[0].read_bytes())
    searched = search(tmp_path)
    assert len(searched.found) == 2
    [left] = searched.left_out
    assert (left.path, left.why) == (
        "zcopy/evidence.json",
        f"is the same record as scorer/{two[0].run.id}/evidence.json",
    )


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda text: text[: len(text) // 2], "is not evidence of this auditkit"),
        (lambda text: text.replace('"schema_version": "2.0"', '"schema_version": "1.7"'), "schema version 1.7"),
        (lambda text: text.replace('"n_clusters": 80', '"n_clusters": 81'), "is damaged: data.n_clusters"),
    ],
)
def test_a_damaged_record_is_listed_and_the_others_stay(tmp_path, versions, damage, why):
    path = write(versions[2], tmp_path)
    path.write_text(damage(path.read_text()))
    found = written(tmp_path, versions[:2])
    assert len(found.runs) == 2
    [left] = found.left_out
    assert left.path == f"scorer/{versions[2].run.id}/evidence.json"
    assert why in left.why
    assert str(tmp_path) not in left.why
    assert any("1 file was left out" in note for note in found.notes)


def test_a_record_of_other_images_is_read_all_the_same(tmp_path, two, protocol):
    other = run(3, Version(3), protocol, images={**IMAGES, "ct": 41}, effects=WORDS)
    assert len(written(tmp_path, [*two, other]).runs) == 3
