"""MedMNIST, MedMNIST-C and MediMeta-C: what each file says of its pictures, and the very pictures."""

import tracemalloc

import numpy as np
import pytest
from layout_files import by_name, error_of, load, medimeta_c, medmnist, medmnist_c, pictures

from auditkit.images.identity import NOTE_FILE
from auditkit.images.item import MODALITIES
from auditkit.images.layouts.known import NOTE_UNKNOWN, _table, data_set
from auditkit.images.layouts.medmnist_c import CORRUPTIONS
from auditkit.perturbations import corruptions
from auditkit.vocabulary import condition_name


@pytest.mark.parametrize("compressed", [True, False])
def test_medmnist(tmp_path, compressed):
    path = tmp_path / "pneumoniamnist_64.npz"
    arrays = medmnist(path, size=64, compressed=compressed, train=14, val=12, test=10)
    images = load(path)
    assert not images.left_out
    records = by_name(images)
    assert len(records) == 36
    for split, n in (("train", 14), ("val", 12), ("test", 10)):
        for i in range(n):
            record = records[f"pneumoniamnist_64.npz/{split}_images[{i}]"]
            np.testing.assert_array_equal(record.pictures[0].read(), arrays[f"{split}_images"][i])
            columns = {k: record.attributes[k] for k in ("label", "split")}
            assert columns == {"label": ("normal", "pneumonia")[i % 2], "split": split}
            assert (record.modality, record.licence, record.source) == ("xray", "CC BY 4.0", "medmnist")
            assert (record.unit, record.notes) == ("file", (NOTE_FILE,))
    assert len({record.cluster for record in records.values()}) == 36


def test_one_split(tmp_path):
    path = tmp_path / "pneumoniamnist.npz"
    medmnist(path, train=14, val=12, test=10)
    assert {r.attributes["split"] for r in load(f"{path}#val").records} == {"val"}
    whole, part = by_name(load(path)), by_name(load(f"medmnist:{path}#test"))
    assert part == {name: record for name, record in whole.items() if "/test_" in name}
    assert 'no split "dev"; its splits are: train, val, test' in str(error_of(f"{path}#dev"))


def test_a_file_that_has_a_hash_in_its_name_is_that_file(tmp_path):
    medmnist(tmp_path / "pneumoniamnist.npz", train=10, test=10)
    medmnist(tmp_path / "pneumoniamnist.npz#test", train=10, test=10)
    (tmp_path / "pneumoniamnist.npz#test.npz").rename(tmp_path / "pneumoniamnist.npz#test")
    assert "is a single file and no manifest" in str(error_of(tmp_path / "pneumoniamnist.npz#test"))


def test_colour_several_findings_and_a_trailing_channel(tmp_path):
    colour, grey = pictures(10, 28, 28, 3), pictures(10, 28, 28, 1, seed=1)
    findings = np.zeros((10, 14), np.uint8)
    findings[:5, [9, 1]] = 1
    np.savez(
        tmp_path / "chestmnist.npz", train_images=colour, train_labels=findings, test_images=grey, test_labels=findings
    )
    records = by_name(load(tmp_path / "chestmnist.npz"))
    np.testing.assert_array_equal(records["chestmnist.npz/train_images[3]"].pictures[0].read(), colour[3])
    np.testing.assert_array_equal(records["chestmnist.npz/test_images[3]"].pictures[0].read(), grey[3, :, :, 0])
    labels = [records[f"chestmnist.npz/train_images[{i}]"].attributes["label"] for i in (0, 9)]
    assert labels == ["cardiomegaly + edema", "no finding"]


def test_large_pictures_are_made_smaller(tmp_path):
    medmnist(tmp_path / "pneumoniamnist_128.npz", size=128, train=10, test=10)
    assert {r.pictures[0].read().shape for r in load(tmp_path / "pneumoniamnist_128.npz", max_side=32).records} == {
        (32, 32)
    }


def test_a_set_that_is_not_known_has_numbers_and_says_so(tmp_path):
    medmnist(tmp_path / "wards.npz", train=10, test=10)
    records = load(tmp_path / "wards.npz").records
    assert {r.attributes["label"] for r in records} == {"0", "1"}
    assert all(r.modality == "other" and NOTE_UNKNOWN in r.notes for r in records)


def given(record):
    """What is given of an item's first picture, by the name of the condition."""
    return {condition_name(condition): picture for condition, picture in record.pictures[0].given.items()}


def test_corrupted_pictures_are_given_of_the_clean_picture_of_their_row(tmp_path):
    folder = tmp_path / "data"
    arrays = medmnist(folder / "bloodmnist_224.npz", size=24, train=10, test=10)
    clean, labels = arrays["test_images"], arrays["test_labels"]
    corrupted = medmnist_c(folder / "bloodmnist" / "stain_deposit.npz", clean, labels)
    images = load(f"{folder}#test")
    records = by_name(images)
    assert sorted(records) == [f"bloodmnist_224.npz/test_images[{i}]" for i in range(10)]
    assert not images.left_out
    for row in range(10):
        found = given(records[f"bloodmnist_224.npz/test_images[{row}]"])
        assert list(found) == [f"medmnist_c.stain_deposit-s{severity}" for severity in range(1, 6)]
        for severity, picture in enumerate(found.values()):
            np.testing.assert_array_equal(picture.read(), corrupted[10 * severity + row])
    alone = by_name(load(f"{folder / 'bloodmnist_224.npz'}#test"))
    assert {r.id: r.content for r in alone.values()} == {r.id: r.content for r in records.values()}
    assert {r.cluster for r in alone.values()} == {r.cluster for r in records.values()}


def test_corrupted_pictures_without_clean_ones_are_left_out_and_say_which_is_missing(tmp_path):
    arrays = medmnist(tmp_path / "bloodmnist.npz", size=28, train=10, test=10)
    medmnist_c(tmp_path / "bloodmnist" / "bubble.npz", pictures(10, 24, 24, seed=9), arrays["test_labels"])
    images = load(tmp_path)
    assert {entry.reason for entry in images.left_out} == {
        f"its clean picture (bloodmnist/test/{i} of 24 x 24 pixels) is not among the data" for i in range(10)
    }
    assert len(images.left_out) == 50
    assert not any(given(record) for record in images.records)
    assert "bloodmnist/test/0 of 24 x 24 pixels) is not among the data" in str(error_of(tmp_path / "bloodmnist"))


def test_another_label_is_another_picture(tmp_path):
    arrays = medmnist(tmp_path / "bloodmnist.npz", size=28, test=10, train=10)
    labels = arrays["test_labels"].copy()
    labels[3] = 5
    medmnist_c(tmp_path / "bloodmnist" / "bubble.npz", arrays["test_images"], labels)
    images = load(tmp_path)
    assert {entry.reason for entry in images.left_out} == {
        "it and its clean picture bloodmnist.npz/test_images[3] differ in label: not of one picture"
    }
    assert len(images.left_out) == 5


def test_medimeta_c(tmp_path):
    clean = pictures(10, 32, 32)
    medimeta_c(tmp_path, "pneumonia", "test", clean, np.arange(10) % 2)
    images = load(tmp_path)
    records = by_name(images)
    assert len(records) == 10
    assert not images.left_out
    record = records["pneumonia/test/clean.npz/images[7]"]
    assert set(given(record)) == {"medimeta_c.pixelate-s1", "medimeta_c.pixelate-s5"}
    np.testing.assert_array_equal(given(record)["medimeta_c.pixelate-s5"].read(), clean[7] // 6)
    columns = {"label": "bacteria", "split": "test"}
    assert {k: record.attributes[k] for k in columns} == columns
    assert record.modality == "xray"
    alone = by_name(load(tmp_path / "pneumonia" / "test" / "clean.npz"))
    assert alone["clean.npz/images[7]"].cluster == record.cluster, "the folders tell the set, however it is given"


def test_a_severity_that_changes_nothing_is_kept_and_a_copy_is_not(tmp_path):
    clean = pictures(10, 32, 32)
    clean[4] = clean[3]
    folder = tmp_path / "oct" / "test"
    folder.mkdir(parents=True)
    for name in ("clean", "contrast_severity_1"):
        np.savez(folder / f"{name}.npz", images=clean, labels=np.arange(10) % 2)
    images = load(tmp_path)
    assert len(images.records) == 9
    for record in images.records:
        assert given(record)["medimeta_c.contrast-s1"].content == record.content
    reasons = {entry.name: entry.reason for entry in images.left_out}
    assert set(reasons) == {"oct/test/clean.npz/images[4]", "oct/test/contrast_severity_1.npz/images[4]"}
    assert all("it is a copy of oct/test/clean.npz/images[3]" in reason for reason in reasons.values())


def test_the_names_of_published_corruptions_are_those_of_the_catalogue():
    assert {f"medmnist_c.{name}" for name in CORRUPTIONS} == {entry.name for entry in corruptions("medmnist_c")}


def test_what_lies_beside_a_layout_is_named(tmp_path):
    medmnist(tmp_path / "pneumoniamnist.npz", train=10, test=10)
    (tmp_path / "notes.txt").write_text("x")
    (entry,) = load(tmp_path).left_out
    assert (entry.name, entry.reason) == (
        "notes.txt",
        "it is no part of the data set (medmnist) that lies here",
    )


def test_a_folder_of_pictures_with_an_archive_stays_one(tmp_path):
    from PIL import Image

    Image.fromarray(pictures(1, 20, 20)[0]).save(tmp_path / "a.png")
    medmnist(tmp_path / "pneumoniamnist.npz", train=10, test=10)
    images = load(tmp_path)
    assert [r.name for r in images.records] == ["a.png"]
    (entry,) = images.left_out
    assert entry.name == "pneumoniamnist.npz"
    assert "it is an archive of arrays, not an image; to read it as a public layout" in entry.reason


def test_what_the_content_does_not_tell_is_asked_for(tmp_path):
    n = 10
    np.savez(tmp_path / "mine.npz", test_images=pictures(n, 28, 28), test_labels=np.zeros((n, 1), int))
    said = error_of(tmp_path / "mine.npz")
    assert "tell no layout; the arrays are: test_images, test_labels" in str(said)
    assert "medmnist:PATH" in said.remedy
    assert len(load(f"medmnist:{tmp_path / 'mine.npz'}").records) == n
    np.savez(tmp_path / "x.npz", images=pictures(n, 28, 28), labels=np.zeros(n, int))
    assert "tell no layout" in str(error_of(tmp_path / "x.npz"))
    assert "its name tells no corruption" in str(error_of(f"medimeta-c:{tmp_path / 'x.npz'}"))
    assert "There is no MediMeta-C in empty" in str(error_of(f"medimeta-c:{_empty(tmp_path)}"))
    assert "is of no layout that has splits" in str(error_of(f"{_empty(tmp_path)}#test"))


def _empty(tmp_path):
    (tmp_path / "empty").mkdir(exist_ok=True)
    return tmp_path / "empty"


def test_severities_are_not_made_up(tmp_path):
    labels = np.arange(50).reshape(50, 1) % 7
    np.savez(tmp_path / "pixelate.npz", test_images=pictures(50, 28, 28), test_labels=labels)
    assert "not the same 5 times over" in str(error_of(tmp_path / "pixelate.npz"))
    np.savez(tmp_path / "pixelate.npz", test_images=pictures(49, 28, 28), test_labels=labels[:49] * 0)
    assert "not the same 5 times over" in str(error_of(tmp_path / "pixelate.npz"))


def test_the_table_of_known_sets_is_whole():
    for name, known in _table().items():
        assert known.modality in MODALITIES, name
        assert len(set(known.labels)) == len(known.labels) > 1, name
    assert len(data_set("chestmnist").labels) == 14
    assert data_set("organsmnist_224").labels == data_set("organamnist").labels


def test_rows_that_are_not_of_one_picture(tmp_path):
    clean = pictures(10, 32, 32)
    medimeta_c(tmp_path, "pneumonia", "test", clean, np.arange(10) % 2)
    shuffled = np.roll(np.arange(10) % 2, 1)
    np.savez(tmp_path / "pneumonia/test/pixelate_severity_1.npz", images=clean[::-1] // 2, labels=shuffled)
    images = load(tmp_path)
    assert len(images.records) == 10
    assert {entry.name for entry in images.left_out} == {
        f"pneumonia/test/pixelate_severity_1.npz/images[{i}]" for i in range(10)
    }
    assert "its clean picture pneumonia/test/clean.npz/images[0] differ in label" in images.left_out[0].reason
    assert all(set(given(record)) == {"medimeta_c.pixelate-s5"} for record in images.records)


def test_links_are_followed_within_the_folder_only(tmp_path):
    folder = tmp_path / "data"
    medmnist(folder / "pneumoniamnist.npz", train=10, test=10)
    medmnist(tmp_path / "octmnist.npz", size=32, train=12, test=12)
    (folder / "octmnist.npz").symlink_to(tmp_path / "octmnist.npz")
    (folder / "breastmnist.npz").symlink_to("hidden")
    (folder / "hidden").symlink_to(folder / "pneumoniamnist.npz")
    images = load(folder)
    assert {r.name.split("/")[0] for r in images.records} == {"breastmnist.npz"}
    reasons = {entry.name.split("/")[0]: entry.reason for entry in images.left_out}
    assert reasons["octmnist.npz"] == "it is a link that leads out of the data's folder"
    assert "it is a copy of breastmnist.npz" in reasons["pneumoniamnist.npz"]
    (tmp_path / "blob").write_bytes((tmp_path / "octmnist.npz").read_bytes())
    (tmp_path / "octmnist.npz").unlink()
    (tmp_path / "octmnist.npz").symlink_to("blob")
    assert len(load(tmp_path / "octmnist.npz").records) == 24, "as caches keep files: the name of the link tells"


def test_memory_is_flat_however_large_the_array(tmp_path):
    path = tmp_path / "pneumoniamnist_128.npz"
    np.savez_compressed(path, test_images=pictures(2000, 128, 128) // 64 * 64, test_labels=np.zeros((2000, 1), int))
    load(path)  # what is imported at the first use is not counted
    tracemalloc.start()
    try:
        records = load(path).records
        for record in records[::100]:
            record.pictures[0].read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12e6, "2,000 records of 2 KB and blocks of 1 MiB, of 33 MB of pictures"
