"""Manifests with changed versions, second pictures and questions: what belongs together, whatever the order."""

import csv
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import SALT
from PIL import Image
from pyarrow import parquet
from test_sources import picture, reasons

from auditkit.errors import AuditkitError
from auditkit.images.sources import load_images
from auditkit.vocabulary import Perturbation, condition_name

SCANNER = Perturbation("old_scanner", 3)


def write(path, rows):
    """Write rows as a CSV, JSON lines or Parquet; a key that a row lacks is empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    else:
        table = {column: pa.array([row.get(column) for row in rows], pa.string()) for column in columns}
        parquet.write_table(pa.table(table), path)
    return path


def loaded(path, **options):
    return load_images(str(path), salt=SALT, **options)


def held(images):
    """What is given of every item's pictures, by names of items and conditions."""
    return {
        item.name: [{condition_name(c) for c in one.given} for one in item.pictures]
        for item in images.records
    }  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("versions")
    for i in range(40):
        picture(folder / f"{i:02d}.png", i)
    (folder / "copy.png").write_bytes((folder / "00.png").read_bytes())
    return folder


def clean(i, **columns):
    return {"file_name": f"{i:02d}.png", "patient_id": f"p{i}", **columns}


def version(i, of, change, **columns):
    return {"file_name": f"{i:02d}.png", "of": f"{of:02d}.png", "given": change, **columns}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_changed_picture_is_given_of_its_clean_one(pictures, suffix):
    rows = [version(10, 0, "old_scanner-s3"), clean(0), clean(1), version(11, 0, "fold"), version(12, 1, "fold")]
    images = loaded(write(pictures / f"m{suffix}", rows))
    assert held(images) == {"00.png": [{"old_scanner-s3", "fold"}], "01.png": [{"fold"}]}
    assert not images.left_out
    assert not images.unread
    (item,) = (item for item in images.records if item.name == "00.png")
    version_of = item.pictures[0].given[(SCANNER,)]
    alone = {item.name: item for item in loaded(write(pictures / f"n{suffix}", [clean(0), clean(10)])).records}
    np.testing.assert_array_equal(version_of.read(), alone["10.png"].pictures[0].read())
    assert version_of.content == alone["10.png"].content, "an answer about the picture is the same wherever it stands"
    assert item.content == alone["00.png"].content
    assert (item.id, item.cluster) == (alone["00.png"].id, alone["00.png"].cluster)


def test_what_fits_no_clean_picture_or_several_is_left_out_with_the_reason(pictures):
    rows = [
        *(clean(0, label="a"), clean(1), clean(2)),
        version(10, 9, "fold"),
        {"file_name": "11.png", "of": "gone.png", "given": "fold"},
        {"file_name": "copy.png", "patient_id": "p0"},
        {"file_name": "12.png", "of": "copy.png", "given": "grain"},
        {"file_name": "no.png"},
        version(18, 0, "grain-s1") | {"of": "no.png"},
        *(version(13, 1, "fold"), version(14, 1, "fold")),
        *(version(15, 1, "dust"), version(15, 1, "dust")),
        version(16, 0, "fold", label="b"),
        version(2, 1, "noise"),
        version(0, 0, "noise-s2"),
        version(15, 2, "dust"),
        {"file_name": "../x.png", "of": "00.png", "given": "fold"},
        {"file_name": "17.png", "of": "../00.png", "given": "fold"},
    ]
    images = loaded(write(pictures / "left.csv", rows))
    assert held(images) == {"00.png": [{"noise-s2", "grain"}], "01.png": [{"dust"}], "02.png": [set()]}
    assert len(images.left_out) == len(rows) - 3 - 3
    several = "there are several pictures of 01.png changed by fold, among them 13.png and 14.png"
    told = [(entry.name, entry.reason) for entry in images.left_out]
    assert ("15.png", "it is listed twice") in told
    assert ("15.png", "it is the same picture as a changed version of 01.png") in told
    missing = "there is no such file"
    found = {name: reason for name, reason in told if name != "15.png"}
    assert found == {
        "10.png": "its clean picture (09.png) is not among the data",
        "11.png": "its clean picture (gone.png) is not among the data",
        "copy.png": "it is a copy of 00.png, and the two rows differ in label: the first is used",
        "no.png": missing,
        "18.png": f"its clean picture (no.png) is left out: {missing}",
        "13.png": several,
        "14.png": several,
        "16.png": "it and its clean picture 00.png differ in label: not of one picture",
        "02.png": "it is a copy of 02.png, which is another picture than its clean one",
        "../x.png": 'its name leads out of the data\'s folder ("..")',
        "17.png": 'its name leads out of the data\'s folder ("..")',
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"of": "00.png"}, '"of" is filled and "given" is empty'),
        ({"given": "fold"}, '"given" is filled and "of" is empty'),
        ({"of": "00.png", "given": "old scanner"}, '"given" is no name of a perturbation'),
        ({"of": "00.png", "given": "fold-s0"}, '"given" is no name of a perturbation'),
        ({"of": "00.png", "given": "fold", "file_name_2": "03.png"}, "are both filled"),
        ({"file_name_2": "02.png"}, "its two pictures are one and the same"),
        ({"file_name_2": "gone.png"}, "there is no such file"),
        ({"file_name_2": 7}, '"file_name_2" is not a text'),
    ],
)
def test_half_a_statement_is_none(pictures, row, said):
    images = loaded(write(pictures / "half.jsonl", [clean(0), {"file_name": "02.png", **row}]))
    (entry,) = images.left_out
    assert said in entry.reason
    assert len(images.records) == 1


@pytest.mark.parametrize("name", ["Given", "OF", "File_Name_2"])
def test_names_that_are_nearly_those_are_refused(pictures, name):
    with pytest.raises(AuditkitError, match="columns are told by their exact names"):
        loaded(write(pictures / "near.csv", [{"file_name": "00.png", name: ""}]))


PLAN = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["fold", "fold-s1", "dust"])), max_size=12, unique=True)


@given(PLAN, st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_the_rows_does_not_show(pictures, plan, chance, twice):
    """Every version is given of the picture it names, and of nothing else; what is there twice changes nothing."""
    rows = [*(clean(i) for i in range(5)), *(version(10 + at, of, change) for at, (of, change) in enumerate(plan))]
    rows += rows if twice else []
    chance.shuffle(rows)
    images = loaded(write(pictures / "shuffled.csv", rows))
    expected = {f"{i:02d}.png": [{change for of, change in plan if of == i}] for i in range(5)}
    assert held(images) == expected
    for item in images.records:
        for condition, shown in item.pictures[0].given.items():
            own = next(at for at, one in enumerate(plan) if one == (int(item.name[:2]), condition_name(condition)))
            np.testing.assert_array_equal(shown.read(), np.asarray(Image.open(pictures / f"{10 + own:02d}.png")))
    assert len(images.left_out) == (len(rows) // 2 if twice else 0)


# --- two pictures, several questions ----------------------------------------------------------------------------------


def test_a_second_picture(pictures):
    rows = [clean(0, file_name_2="01.png"), clean(2), clean(3, file_name_2="00.png")]
    rows += [clean(1, file_name_2="00.png") | {"patient_id": "p0"}]
    images = loaded(write(pictures / "pairs.csv", rows))
    items = {item.name: item for item in images.records}
    assert {name: len(item.pictures) for name, item in items.items()} == {"00.png": 2, "01.png": 2, "02.png": 1}
    first, second = items["00.png"].pictures
    assert (first.content, second.content) == tuple(one.content for one in reversed(items["01.png"].pictures))
    assert items["00.png"].content != items["01.png"].content, "the order of the pictures counts"
    np.testing.assert_array_equal(second.read(), np.asarray(Image.open(pictures / "01.png")))
    assert reasons(images) == {
        "03.png": "it shows the picture of 00.png once more, and the two rows differ in patient_id: the first is used"
    }


def test_pictures_that_items_share_make_one_unit_where_no_patient_is_known(pictures):
    pairs = [(0, 1), (2, 3), (1, 2), (4, 5), (6, None), (6, 7), (8, None)]
    rows = [{"file_name": f"{a:02d}.png", "file_name_2": "" if b is None else f"{b:02d}.png"} for a, b in pairs]
    images = loaded(write(pictures / "chain.csv", rows))
    assert not images.left_out
    cluster = {(item.name, len(item.pictures)): item.cluster for item in images.records}
    groups = [
        {cluster["00.png", 2], cluster["02.png", 2], cluster["01.png", 2]},
        {cluster["04.png", 2]},
        {cluster["06.png", 1], cluster["06.png", 2]},
        {cluster["08.png", 1]},
    ]
    assert [len(group) for group in groups] == [1, 1, 1, 1]
    assert len(set.union(*groups)) == 4
    assert len({item.id for item in images.records}) == 7


def test_a_picture_of_a_pair_may_have_changed_versions(pictures):
    rows = [clean(0, file_name_2="01.png"), clean(2), version(10, 1, "fold"), version(11, 2, "fold")]
    assert held(loaded(write(pictures / "both.csv", rows))) == {"00.png": [set(), {"fold"}], "02.png": [{"fold"}]}


def test_several_questions_about_one_picture_are_items_of_one_unit(pictures):
    def asked(i, question, *options, **more):
        named = dict(zip("ABCDE", options, strict=False))
        return {"file_name": f"{i:02d}.png", "question": question, **named, **more}

    rows = [
        asked(0, "Noise?", "yes", "no", answer="A"),
        asked(0, "Blur?", "yes", "no", answer="B"),
        asked(0, "Noise?", "no", "yes", answer="A"),
        asked(0, "Noise?", "yes", "no", answer="B"),
        asked(1, "Noise?", "yes", "no", answer="A"),
        {"file_name": "copy.png", "question": "Sharp?"},
        {"file_name": "00.png"},
        {"file_name": "copy.png"},
        asked(1, "Blur?", modality="ct"),
        version(10, 0, "fold"),
    ]
    images = loaded(write(pictures / "questions.csv", rows), columns=["question", "A", "answer"])
    assert [(entry.name, entry.reason) for entry in images.left_out] == [
        ("00.png", "it is listed twice, and the two rows differ in answer: the first is used"),
        ("copy.png", "it is a copy of 00.png"),
        ("01.png", "it shows the picture of 01.png once more, and the two rows differ in modality: the first is used"),
    ]
    assert len(images.records) == len({item.id for item in images.records}) == 6
    own = [item for item in images.records if item.name != "01.png"]
    assert len({item.cluster for item in own}) == 1
    assert len({item.cluster for item in images.records}) == 2
    assert {item.content for item in own} == {own[0].content}
    assert all(set(item.pictures[0].given) == {(Perturbation("fold"),)} for item in own)
    assert {tuple(item.columns.items()) for item in own} == {
        (("question", "Noise?"), ("A", "yes"), ("answer", "A")),
        (("question", "Blur?"), ("A", "yes"), ("answer", "B")),
        (("question", "Noise?"), ("A", "no"), ("answer", "A")),
        (("question", "Sharp?"),),
        (),
    }
    assert not any("question" in item.attributes for item in images.records)


def test_ids_of_plain_rows_do_not_depend_on_questions_or_versions(pictures):
    plain = loaded(write(pictures / "a.csv", [clean(0), clean(1)]))
    more = loaded(write(pictures / "b.csv", [clean(0), clean(1), version(10, 0, "x"), clean(2, file_name_2="03.png")]))
    assert {(i.id, i.cluster) for i in plain.records} <= {(i.id, i.cluster) for i in more.records}


def test_an_imagefolder_in_parts_joins_within_each(tmp_path):
    for split in ("train", "test"):
        for i in range(3):
            picture(tmp_path / split / f"{i}.png", i + 10 * len(split))
        rows = [
            {"file_name": "0.png", "question": "Noise?", "file_name_2": ""},
            {"file_name": "1.png", "of": "0.png", "given": "fold"},
            {"file_name": "0.png", "question": "", "file_name_2": "2.png"},
        ]
        write(tmp_path / split / "metadata.csv", rows)
    images = loaded(tmp_path, columns=["question"])
    assert not images.left_out, "2.png is listed as a second picture, 1.png as a version"
    assert sorted((i.name, len(i.pictures), len(i.pictures[0].given)) for i in images.records) == [
        *(("test/0.png", n, 1) for n in (1, 2)),
        *(("train/0.png", n, 1) for n in (1, 2)),
    ]
