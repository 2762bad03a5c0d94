"""What a record and a dry run say of the images: whose they are, what was decided about them, what is left out."""

from dataclasses import replace
from pathlib import Path

from auditkit.images.item import ImageSet, LeftOut
from auditkit.run.data import data_of, notes
from auditkit.run.dry_run import Counted, DryRun
from auditkit.run.limits import limits
from auditkit.run.settings import Settings

SETTINGS = Settings(model="m", data="/home/jane/pictures", protocol=Path("p.toml"), root=Path(), uid="u")


def noted(record, *said, unit="patient", **attributes):
    return replace(record, notes=said, unit=unit, attributes=attributes)


def test_notes_are_counted_by_kind_and_keep_numbers_that_never_differ(records):
    a, b, c, d = records(4)
    assert notes(
        [
            noted(a, "40 frames: number 21 is shown", "shown over 0-65535"),
            noted(b, "12 frames: number 7 is shown"),
            noted(c, "shown over 0-65535", "shown over 0-65535"),
            d,
        ]
    ) == {"shown over 0-65535": 2, "12 to 40 frames: number 7 to 21 is shown": 2}


def described(records):
    some = [
        *(noted(r, unit="file", sex="female") for r in records(3, prefix="a")),
        *(noted(r, "a window was missing", unit="study", sex="male") for r in records(2, prefix="b")),
        *(noted(r, sex="male") for r in records(5, patients=2, prefix="c")),
    ]
    left_out = [LeftOut(f"{i}.txt", "it is not an image") for i in range(5)] + [LeftOut("e.png", "it is empty")]
    images = ImageSet("pictures", tuple(some), unread={"gender": "sex", "view": ""})
    return data_of(some, left_out, images, SETTINGS)


def test_images_are_counted_by_what_stands_for_their_patient(records):
    data = described(records)
    assert data.units == {"file": 3, "patient": 5, "study": 2}
    assert data.notes == {"a window was missing": 2}
    assert data.unread_columns == {"gender": "sex", "view": ""}
    assert data.n_left_out == 6
    assert "jane" not in data.model_dump_json()


def test_a_dry_run_shows_images_patients_modalities_strata_and_what_is_left_out(records):
    lines = DryRun(described(records), [Counted("m", 10, 0, None)]).lines()
    text = "\n".join(lines)
    assert lines[0] == "images:                 10 of 3 patients"
    assert "  3 of 10 images were counted as a patient per file, because" in text
    assert "  2 of 10 images were counted by study, because no patient id is known" in text
    assert "  CT: 6 (2)" in lines  # p0 and p2
    assert "  sex: male 7 (2), female 3 (3)" in lines
    assert "  a window was missing: 2" in lines
    assert "Columns of the manifest that are not read: gender (did you mean sex?), view." in lines
    assert "left out:               6" in lines
    assert "  5: it is not an image (0.txt, 1.txt, 2.txt, …)" in lines
    assert "  1: it is empty (e.png)" in lines
    assert "Nothing was asked (--audit-dry-run)." in lines


def test_the_limits_of_a_run_name_images_without_a_patient(records):
    assert any("counted as a patient per file" in sentence for sentence in limits(described(records), []))
