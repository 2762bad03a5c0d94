"""Whose image is it: constructed files and rows of people that are known, and how many patients come out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import SALT, write_dicom
from test_sources import picture, table

from auditkit.images import identity
from auditkit.images.identity import Identity, units_of
from auditkit.images.sources import load_images
from auditkit.images.strata import identifier


def scan(path, seed, **tags):
    """A small DICOM file whose bytes are its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    return write_dicom(path, rng.integers(0, 4000, (8, 8)).astype(np.uint16), **tags)


def listed(source):
    return {record.name: record for record in load_images(str(source), salt=SALT).records}


def people(records):
    return len({record.cluster for record in records.values()})


def rows(folder, *ids, columns=("file_name", "patient_id")):
    """A manifest of pictures with these ids, one each."""
    for i in range(len(ids)):
        picture(folder / f"{i}.png", i)
    cells = [(own,) if isinstance(own, str) else own for own in ids]
    return table(folder / "m.csv", [(f"{i}.png", *own) for i, own in enumerate(cells)], columns)


@pytest.mark.parametrize(
    "spellings",
    [
        ("700", "700.0", " 700 ", "0700", "７００", "7\u200b00"),
        ("Pat-7", "PAT-7", "pat-7 ", "Pat－7"),
        ("Müller-3", "Mu\u0308ller-3", "MÜLLER-3"),
    ],
)
def test_one_person_written_in_several_ways_is_one_patient_and_that_is_said(tmp_path, spellings):
    records = listed(rows(tmp_path, *spellings, "another"))
    assert people(records) == 2
    said = [identity.NOTE_SPELLINGS in record.notes for record in records.values()]
    assert sum(said) == len(spellings)
    assert {record.unit for record in records.values()} == {"patient"}


def test_parquet_reads_ids_as_floats_where_some_are_missing(tmp_path):
    """The same ids as a CSV and as a table whose gaps turned them into floats give the same hashes."""
    pandas_like = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    csv = listed(rows(tmp_path, "700", "701", ""))
    names = [f"{i}.png" for i in range(3)]
    parquet.write_table(
        pandas_like.table({"file_name": names, "patient_id": [700.0, 701.0, None]}), tmp_path / "m.parquet"
    )
    floats = listed(tmp_path / "m.parquet")
    assert {n: r.cluster for n, r in csv.items()} == {n: r.cluster for n, r in floats.items()}


@pytest.mark.parametrize(
    "constant",
    ["REMOVED", "0", "0000", "Anonymous", "ANON", "xxx", "XXXX", "N/A", "Anonymous^^", "***", "--", "de-identified",
     "redacted", "000-00-0000", "unknown", "None"],
)  # fmt: skip
def test_what_deidentification_leaves_behind_is_no_patient(tmp_path, constant):
    for i in range(3):
        scan(tmp_path / f"{i}.dcm", i, PatientID=constant, StudyInstanceUID=f"1.2.{i}")
    records = listed(tmp_path)
    assert people(records) == 3
    assert all(record.unit == "study" and identity.NOTE_STUDY in record.notes for record in records.values())


@pytest.mark.parametrize("text", ["ANON001", "x1", "10", "subject-0", "patient 1", "anonymous7"])
def test_pseudonyms_are_kept(text):
    assert identifier(text) == text.casefold()


@pytest.mark.parametrize(
    "tags",
    [
        [{"PatientSex": "F"}, {"PatientSex": "M"}, {"PatientSex": ""}],
        [{"PatientBirthDate": "19500101"}, {"PatientBirthDate": "19610203"}, {}],
    ],
    ids=["sex", "birth"],
)
def test_one_header_id_of_several_people_tells_nobody_apart(tmp_path, tags):
    for i, own in enumerate(tags):
        scan(tmp_path / f"{i}.dcm", i, PatientID="PAT", StudyInstanceUID=f"1.2.{i}", **own)
    records = listed(tmp_path)
    assert people(records) == 3
    assert all(record.unit == "study" and identity.NOTE_SHARED in record.notes for record in records.values())


def test_one_id_over_several_studies_stays_one_patient_and_is_said(tmp_path):
    """One person seen again, or a constant: splitting one person would be the worse mistake."""
    for i in range(4):
        scan(tmp_path / f"{i}.dcm", i, PatientID="PAT", StudyInstanceUID=f"1.2.{i}")
    records = listed(tmp_path)
    assert people(records) == 1
    assert all(record.notes[-1] == identity.NOTE_ONE_ID for record in records.values())


def test_a_file_without_id_belongs_to_the_patient_of_its_study(tmp_path):
    scan(tmp_path / "a.dcm", 1, PatientID="P1", StudyInstanceUID="1.1")
    scan(tmp_path / "b.dcm", 2, PatientID="P1", StudyInstanceUID="1.1")
    scan(tmp_path / "lost.dcm", 3, PatientID="", StudyInstanceUID="1.1")
    scan(tmp_path / "other.dcm", 4, PatientID="P2", StudyInstanceUID="1.2")
    records = listed(tmp_path)
    assert people(records) == 2
    assert records["lost.dcm"].cluster == records["a.dcm"].cluster
    assert (records["lost.dcm"].unit, records["lost.dcm"].notes[-1]) == ("patient", identity.NOTE_FROM_STUDY)


def test_a_study_of_two_patients_tells_nothing_about_a_third_file(tmp_path):
    scan(tmp_path / "a.dcm", 1, PatientID="P1", StudyInstanceUID="1.1")
    scan(tmp_path / "b.dcm", 2, PatientID="P2", StudyInstanceUID="1.1")
    scan(tmp_path / "lost.dcm", 3, PatientID="", StudyInstanceUID="1.1")
    records = listed(tmp_path)
    assert records["lost.dcm"].unit == "study"
    assert all(identity.NOTE_STUDY_OF_SEVERAL in record.notes for record in records.values())


def test_the_manifest_knows_a_patient_by_the_header_of_another_file(tmp_path):
    """One person is `A` in the manifest and `H1` in two headers; the row of the second file is blank."""
    scan(tmp_path / "a.dcm", 1, PatientID="H1", StudyInstanceUID="1.1")
    scan(tmp_path / "blank.dcm", 2, PatientID="H1", StudyInstanceUID="1.2")
    scan(tmp_path / "new.dcm", 3, PatientID="H9", StudyInstanceUID="1.3")
    source = table(tmp_path / "m.csv", [("a.dcm", "A"), ("blank.dcm", ""), ("new.dcm", "")])
    records = listed(source)
    assert people(records) == 2
    assert records["blank.dcm"].cluster == records["a.dcm"].cluster
    assert identity.NOTE_LINKED in records["blank.dcm"].notes
    assert identity.NOTE_MIXED in records["new.dcm"].notes


def test_manifest_and_header_that_disagree_are_said(tmp_path):
    scan(tmp_path / "a.dcm", 1, PatientID="H1", StudyInstanceUID="1.1")
    scan(tmp_path / "b.dcm", 2, PatientID="H1", StudyInstanceUID="1.2")
    scan(tmp_path / "c.dcm", 3, PatientID="H2", StudyInstanceUID="1.3")
    scan(tmp_path / "d.dcm", 4, PatientID="H3", StudyInstanceUID="1.4")
    records = listed(table(tmp_path / "m.csv", [("a.dcm", "A"), ("b.dcm", "B"), ("c.dcm", "C"), ("d.dcm", "C")]))
    assert people(records) == 3
    assert {name for name, r in records.items() if identity.NOTE_SPLIT in r.notes} == {"a.dcm", "b.dcm"}
    assert {name for name, r in records.items() if identity.NOTE_JOINED in r.notes} == {"c.dcm", "d.dcm"}


def test_a_manifest_that_gives_one_patient_two_sexes_is_kept_and_said(tmp_path):
    source = rows(tmp_path, ("p1", "F"), ("p1", "M"), ("p2", "F"), columns=("file_name", "patient_id", "sex"))
    records = listed(source)
    assert people(records) == 2
    assert [identity.NOTE_DISAGREE in records[f"{i}.png"].notes for i in range(3)] == [True, True, False]


def test_a_folder_per_patient_is_not_guessed(tmp_path):
    for patient in ("p1", "p2"):
        for i in range(2):
            picture(tmp_path / patient / f"{i}.png", len(patient) + i + 10 * (patient == "p2"))
    records = listed(tmp_path)
    assert people(records) == 4
    assert {record.unit for record in records.values()} == {"file"}


def test_no_identifier_or_date_of_birth_stands_in_a_record(tmp_path):
    scan(tmp_path / "a.dcm", 1, PatientID="SECRET-4711", PatientBirthDate="19500101", StudyInstanceUID="1.2.840.99")
    shown = repr(listed(tmp_path)["a.dcm"]).casefold()
    assert not any(secret in shown for secret in ("secret", "4711", "19500101", "840.99"))


KEYS = st.one_of(st.none(), st.sampled_from("abc"))
FILES = st.lists(
    st.builds(
        lambda declared, header, study, sex: (declared, header, study, sex),
        KEYS, KEYS, KEYS, st.sampled_from([None, "female", "male"]),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@given(FILES, st.randoms())
def test_units_do_not_depend_on_the_order_and_never_split_what_the_manifest_joins(files, random):
    identities = [
        Identity(
            file=f"file{i}", declared=d and f"p{d}", header=h and f"p{h}", study=s and f"s{s}", sex=x,
            spelling=(d or h) and f"w{d or h}",
        )
        for i, (d, h, s, x) in enumerate(files)
    ]  # fmt: skip
    units = dict(zip(identities, units_of(identities), strict=True))
    shuffled = random.sample(identities, len(identities))
    assert dict(zip(shuffled, units_of(shuffled), strict=True)) == units
    for one, unit in units.items():
        assert unit.cluster
        if one.declared:
            assert (unit.cluster, unit.kind) == (one.declared, "patient")
        if unit.kind != "patient":
            assert any("the unit of analysis" in note for note in unit.notes), "no unit but the patient goes unsaid"
        for other, theirs in units.items():
            if one.header and one.header == other.header and not one.declared and not other.declared:
                split = unit.cluster != theirs.cluster
                assert not split or identity.NOTE_SHARED in unit.notes + theirs.notes, "one header id is split unsaid"
