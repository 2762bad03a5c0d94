"""Tables of MedQ-Bench and MedQ-Deg in their true format: base64 pictures in cells, questions, degraded rows."""

import base64
import csv
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import SALT
from layout_files import error_of, pictures, png
from PIL import Image

from auditkit.images.layouts import tsv
from auditkit.images.sources import load_images
from auditkit.vocabulary import condition_name

QUESTIONS = ("question", "A", "B", "C", "D", "E", "answer", "category")


def b64(seed):
    return base64.b64encode(png(seed)).decode()


def write(path, rows, columns=()):
    """Write a table as pandas does: tabs, quotation marks where needed, nothing where a value is missing."""
    columns = columns or list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def loaded(path, **options):
    return load_images(str(path), salt=SALT, **{"columns": QUESTIONS, **options})


def row(index, seed, question="Is there noise?", answer="A", **more):
    options = {"A": "Yes", "B": "No", "C": "", "D": "nan"}
    found = {"index": index, "question": question, **options, "answer": answer, "modality": "CT", "image": b64(seed)}
    return found | more


def by_name(images):
    return {item.name: item for item in images.records}


def reasons(images):
    return {entry.name: entry.reason for entry in images.left_out}


def shown(seed):
    return np.asarray(Image.open(io.BytesIO(png(seed))))


def test_questions_and_their_pictures(tmp_path):
    text = 'What is "wrong" here?\nLook\tclosely.'
    rows = [
        row(0, 0),
        row(
            1, 1, text, 2, A="noise", B='5" of blur', C="None", D="nothing", modality="Histopathology", category="What"
        ),
        row(2, 0, "Is there blur?", "B", modality="CT"),
        row(3, 3, modality="Fundus", image="1"),
        row(4, 4, answer="1.0", modality="MRI"),
    ]
    rows[1]["modality"] = rows[3]["modality"] = "Histopathology"
    images = loaded(write(tmp_path / "medqbench_QA_dev.tsv", rows))
    assert not images.left_out
    assert images.unread == {}
    items = by_name(images)
    assert sorted(items) == [f"medqbench_QA_dev.tsv[{i}]" for i in range(5)]
    one, two, again, other, last = (items[f"medqbench_QA_dev.tsv[{i}]"] for i in range(5))
    assert dict(one.columns) == {"question": "Is there noise?", "A": "Yes", "B": "No", "answer": "A"}
    told = {"A": "noise", "B": '5" of blur', "C": "None", "D": "nothing", "answer": "C", "category": "What"}
    assert dict(two.columns) == {"question": 'What is "wrong" here?\nLook closely.', **told}
    assert last.columns["answer"] == "B"
    assert [item.modality for item in (one, two, last)] == ["ct", "histology", "mr"]
    assert {item.attributes["split"] for item in items.values()} == {"dev"}
    for item, seed in ((one, 0), (two, 1), (again, 0), (other, 1), (last, 4)):
        np.testing.assert_array_equal(item.pictures[0].read(), shown(seed))
    assert (one.cluster, two.cluster) == (again.cluster, other.cluster)
    assert len({item.cluster for item in items.values()}) == 3
    assert {item.unit for item in items.values()} == {"file"}


def test_a_picture_has_the_same_content_in_a_table_and_in_a_file(tmp_path):
    (tmp_path / "a.png").write_bytes(png(5))
    (alone,) = load_images(str(tmp_path), salt=SALT).records
    (tmp_path / "t").mkdir()
    (item,) = loaded(write(tmp_path / "t" / "q.tsv", [row(0, 5)])).records
    assert item.content == alone.content


@pytest.mark.parametrize(
    "columns",
    [
        {"image_a": b64(1), "image_b": b64(2)},
        {"image": str([b64(1), b64(2)])},
        {"image": '["' + b64(1) + '", "' + b64(2) + '"]'},
        {"image_path": "['img/1.png', 'img/2.png']"},
    ],
)
def test_two_pictures(tmp_path, columns):
    (tmp_path / "img").mkdir()
    for i in (1, 2):
        (tmp_path / "img" / f"{i}.png").write_bytes(png(i))
    rows = [{"index": 0, "question": "Which is sharper?", **columns, "description": "The first is sharper."}]
    (item,) = loaded(write(tmp_path / "medqbench_paired_description_test.tsv", rows), columns=["description"]).records
    assert dict(item.columns) == {"description": "The first is sharper."}
    for picture, seed in zip(item.pictures, (1, 2), strict=True):
        np.testing.assert_array_equal(picture.read(), shown(seed))


def test_pictures_in_files(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "1.png").write_bytes(png(1))
    rows = [
        {"index": 0, "question": "Noise?", "image_path": "img/1.png"},
        {"index": 1, "question": "Blur?", "image_path": "img/1.png"},
        {"index": 2, "question": "Blur?", "image_path": "img/2.png"},
        {"index": 3, "question": "Blur?", "image_path": "../1.png"},
        {"index": 4, "question": "Blur?", "image_path": "[1, 2]"},
        {"index": 5, "question": "Blur?", "image_path": ""},
        {"index": 6, "question": "Blur?", "image_path": "['img/1.png', 'img/1.png', 'img/1.png']"},
    ]
    images = loaded(write(tmp_path / "q.tsv", rows))
    assert [item.name for item in images.records] == ["img/1.png"] * 2
    assert len({item.cluster for item in images.records}) == 1
    assert reasons(images) == {
        "img/2.png": "there is no such file",
        "../1.png": 'its name leads out of the data\'s folder ("..")',
        "q.tsv[4]": 'its column "image_path" names no file',
        "q.tsv[5]": "it has no picture",
        "q.tsv[6]": "it has 3 pictures; one or two are read, of a degraded row one",
    }


# --- degraded rows ----------------------------------------------------------------------------------------------------


def deg(index, seed, kind="", level="", source="GMAI", **more):
    return row(index, seed, **{"degradation_type": kind, "degradation_severity": level, "source": source, **more})


def held(images):
    return {
        item.name: {condition_name(condition) for condition in item.pictures[0].given} for item in images.records
    }  # fmt: skip


def test_degraded_rows_are_versions_of_the_clean_row_with_the_same_question(tmp_path):
    write(tmp_path / "MedQ-Robust-good-test.tsv", [deg(0, 0), deg(1, 0, question="Where?"), deg(2, 2, source="Omni")])
    rows = [
        *(deg(10, 10, "Gaussian Noise", "L1"), deg(11, 11, "gaussian-noise", 2)),
        deg(12, 12, "low_dose_CT", "L1", question="Where?"),
        deg(13, 13, "Motion blur", "2.0", source="Omni"),
        deg(14, 14, "Motion blur", "1", source="Elsewhere"),
        *(deg(15, 15, "bubble", "1"), deg(16, 16, "bubble", "1")),
        deg(17, 17, "bubble", "severe"),
        deg(18, 18, "", "2"),
        deg(19, 19, "ghosting", "L1", answer="B"),
    ]
    write(tmp_path / "MedQ-Robust-simulate-test.tsv", rows)
    images = loaded(tmp_path)
    good, bad = "MedQ-Robust-good-test.tsv", "MedQ-Robust-simulate-test.tsv"
    assert held(images) == {
        f"{good}[0]": {"medq_deg.gaussian_noise-s1", "medq_deg.gaussian_noise-s2"},
        f"{good}[1]": {"medq_deg.low_dose_ct-s1"},
        f"{good}[2]": {"medq_deg.motion_blur-s2"},
    }
    told = reasons(images)
    assert set(told) == {f"{bad}[{i}]" for i in range(14, 20)}
    assert all("is not among the data" in told[f"{bad}[{i}]"] for i in (14, 19))
    several = (
        f"there are several pictures of {good}[0] changed by medq_deg.bubble-s1, among them {bad}[15] and {bad}[16]"
    )
    assert told[f"{bad}[15]"] == told[f"{bad}[16]"] == several
    assert all("do not fit: a degraded row has a kind and 1, 2, L1 or L2" in told[f"{bad}[{i}]"] for i in (17, 18))
    (first,) = (item for item in images.records if item.name == f"{good}[0]")
    by_condition = {condition_name(c): picture for c, picture in first.pictures[0].given.items()}
    np.testing.assert_array_equal(by_condition["medq_deg.gaussian_noise-s2"].read(), shown(11))


def test_two_clean_pictures_that_fit_are_said_and_none_is_guessed(tmp_path):
    images = loaded(write(tmp_path / "t.tsv", [deg(0, 0), deg(1, 1), deg(2, 2, "bubble", "1")]))
    assert held(images) == {"t.tsv[0]": set(), "t.tsv[1]": set()}
    assert reasons(images) == {
        "t.tsv[2]": "2 clean pictures fit it, among them t.tsv[0] and t.tsv[1]: which one it was made of is not known"
    }


CASES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from(["", "blur", "noise"]), st.sampled_from([1, 2])),
    max_size=10,
    unique=True,
)
HOSTILE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(CASES, st.randoms(use_true_random=False))
@HOSTILE
def test_joins_do_not_depend_on_the_order(tmp_path, cases, chance):
    """Four pictures, three questions; a question about a picture is one clean row, its degraded rows join it alone."""
    pairs = sorted({(seed, question) for seed, question, *_ in cases})
    rows = [deg(f"c{seed}{q}", seed, question=f"Q{q}?", source=f"s{seed}") for seed, q in pairs]
    for at, (seed, q, kind, level) in enumerate(cases):
        if kind:
            rows.append(deg(f"d{at}", 50 + at, kind, level, question=f"Q{q}?", source=f"s{seed}"))
    if not rows:
        return
    chance.shuffle(rows)
    images = loaded(write(tmp_path / "t.tsv", rows))
    assert not images.left_out
    expected = {f"t.tsv[c{seed}{q}]": set() for seed, q in pairs}
    for seed, q, kind, level in cases:
        expected[f"t.tsv[c{seed}{q}]"] |= {f"medq_deg.{kind}-s{level}"} if kind else set()
    assert held(images) == expected
    assert len({item.cluster for item in images.records}) == len({seed for seed, _ in pairs})


# --- hostile tables ---------------------------------------------------------------------------------------------------


def test_every_bad_row_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(tsv, "MOST_LINE", 1 << 16)
    head = "index\tquestion\tA\tB\tanswer\timage\n"
    good = b64(0)
    lines = [
        f"0\tNoise?\tYes\tNo\tA\t{good}",
        f"1\tNoise?\tYes\tNo\tA\t{good[:-3]}",
        f"2\tNoise?\tYes\tNo\tA\t{'!' * 80}",
        f"3\tNoise?\tYes\tNo\tA\t{'A' * 80}",
        f"4\tNoise?\tYes\tNo\tA\t{base64.b64encode(png(4)[:40] + b'0' * 60).decode()}",
        "5\tNoise?\tYes\tNo\tA\t",
        "6\tNoise?\tYes\tNo\tA\tnan",
        "7\tNoise?\tYes\tNo\tA\t99",
        f"8\tNoise?\tYes\tNo\t{good}",
        f'9\t"Noise?\tYes\tNo\tA\t{good}',
        f"10\tNoise?\tYes\tNo\tA\t{'A' * (1 << 17)}",
        f"0\tBlur?\tYes\tNo\tA\t{good}",
        f"12\tNoise?\tYes\tNo\tB\t{good}",
        f"13\t{'x' * 40_000}\tYes\tNo\tA\t{good}",
        f"14\tBlur?\tYes\tNo\tB\t{good}",
        "",
        f"15\t{b64(7)[:20]}\tYes\tNo\tA\t[1, 2]",
    ]
    path = tmp_path / "t.tsv"
    path.write_bytes((head + "\n".join(lines)).encode() + b"\n16\t\xff\xfe\tYes\tNo\tA\tAAAA\n")
    images = loaded(path)
    assert sorted(item.name for item in images.records) == ["t.tsv[0]", "t.tsv[13]", "t.tsv[14]"]
    told = [(entry.name, entry.reason) for entry in images.left_out]
    broken = "its picture is no base64 that can be read: damaged or cut off"
    found = dict(told)
    assert ("t.tsv[0]", "its index is that of row 2") in told
    assert found["t.tsv[1]"] == found["t.tsv[2]"] == broken
    assert "t.tsv[3]" in found
    assert "t.tsv[4]" in found
    assert found["t.tsv[5]"] == found["t.tsv[6]"] == "it has no picture"
    assert found["t.tsv[7]"] == 'its picture is that of the row with the index "99", and no such row has one'
    assert found["t.tsv row 10"] == "the row has 5 fields, the header 6"
    assert found["t.tsv row 11"] == "the row opens a quotation mark that it does not close"
    assert found["t.tsv row 12"] == "the row takes more than 65,536 bytes"
    assert found["t.tsv[12]"] == "it is a copy of t.tsv[0], and the two rows differ in answer: the first is used"
    assert found["t.tsv[15]"] == 'its column "image" holds no picture'
    assert found["t.tsv row 19"] == 'its column "question" is not UTF-8 text'
    assert len(told) == 14


def test_a_cell_of_a_gigabyte_takes_no_memory(tmp_path):
    path = tmp_path / "t.tsv"
    with path.open("wb") as stream:
        stream.write(b"index\tquestion\timage\n0\tNoise?\t")
        stream.truncate(stream.tell() + (1 << 30))  # a hole in the file, which reads as zeros
        stream.seek(0, io.SEEK_END)
        stream.write(f"\n1\tNoise?\t{b64(1)}\n".encode())
    load_images(str(write(tmp_path / "s.tsv", [row(0, 0)])), salt=SALT)
    tracemalloc.start()
    try:
        images = loaded(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reasons(images) == {"t.tsv row 2": f"the row takes more than {tsv.MOST_LINE:,} bytes"}
    assert [item.name for item in images.records] == ["t.tsv[1]"]
    assert peak < 3 * tsv.MOST_LINE


def test_what_is_no_such_table_is_told(tmp_path):
    (tmp_path / "x.tsv").write_text("a\tb\n1\t2\n")
    assert "is a single file and no manifest" in str(error_of(tmp_path / "x.tsv"))
    assert "needs the columns question and image" in str(error_of(f"medq:{tmp_path / 'x.tsv'}"))
    (tmp_path / "x.tsv").write_text(f"index\tquestion\timage\tsubject_id\n1\t2\t{b64(1)}\t7\n")
    assert 'none called "patient_id"' in str(error_of(tmp_path / "x.tsv"))
    (tmp_path / "x.tsv").write_text("index\tquestion\tquestion\timage\n")
    assert 'the column "question" more than once' in str(error_of(tmp_path / "x.tsv"))
    (tmp_path / "x.tsv").write_text("index\tquestion\timage\n")
    assert "is empty" in str(error_of(tmp_path / "x.tsv"))


def test_a_table_that_changes_is_not_read_any_more(tmp_path):
    path = write(tmp_path / "t.tsv", [row(0, 0)])
    (item,) = loaded(path).records
    with path.open("a") as stream:
        stream.write("\n")
    with pytest.raises(ValueError, match="its table has changed since it was listed"):
        item.pictures[0].read()


CELL = st.text(st.sampled_from('ab"\t\n é'), max_size=8)


@given(st.lists(st.tuples(CELL, CELL), max_size=6))
@HOSTILE
def test_what_is_written_as_pandas_does_comes_back(texts):
    """Cells with tabs, line breaks and quotation marks, but for lines that are rows by themselves."""
    rows = [[str(number), *cells] for number, cells in enumerate(texts)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["x", "y", "z"])
    writer.writerows(rows)
    stream = io.BytesIO(text.getvalue().encode())
    assert tsv.header(stream) == ("x", "y", "z")
    found = list(tsv.rows(stream, 3))
    cells = [[cell.bytes(one.data).decode() for cell in one.cells] for one in found if not one.problem]
    if not any("\t" in cell and "\n" in cell for one in rows for cell in one):
        assert cells == rows
    for one in found:
        if not one.problem:
            assert stream.getvalue()[one.start : one.start + len(one.data)] == one.data


def test_memory_is_flat_however_large_the_pictures(tmp_path):
    def table(name, side):
        rows = []
        for i in range(150):
            stream = io.BytesIO()
            Image.fromarray(pictures(1, side, side, seed=i)[0]).save(stream, "PNG")
            rows.append(row(i, 0) | {"image": base64.b64encode(stream.getvalue()).decode()})
        return write(tmp_path / name, rows)

    paths = table("small.tsv", 24), table("large.tsv", 400)
    assert paths[1].stat().st_size > 25e6
    peaks = []
    loaded(paths[0])
    for path in paths:
        tracemalloc.start()
        images = loaded(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(images.records) == 150
    assert peaks[1] - peaks[0] < 5e6, "a few copies of one row, of 32 MB of pictures"
