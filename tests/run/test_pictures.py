"""Pictures that may name a patient: which are asked about, which are shown, and what is said before they leave."""

from dataclasses import replace

import pytest

from auditkit.errors import AuditkitError
from auditkit.images.burned_in import without_declared
from auditkit.images.item import ImageSet, LeftOut, Picture
from auditkit.protocol.effects import differs
from auditkit.run.pictures import limits_of, may_show, remote_host, sent_away
from auditkit.run.prepare import prepare
from auditkit.run.session import all_left_out
from auditkit.run.settings import Settings
from auditkit.vocabulary import Perturbation

EFFECTS = [differs(Perturbation("again", 1), name="asked-twice", family="repeatability")]


@pytest.fixture
def settings(tmp_path, pytestconfig) -> Settings:
    protocol = pytestconfig.rootpath / "audits" / "protocol.toml"
    return Settings(model="m", data="d", protocol=protocol, root=tmp_path, uid="uid-1")


@pytest.fixture
def three(records):
    """One image that declares a name, one of which nothing is known, one without."""
    declared, unknown, clear = records(3)
    return (
        replace(declared, name="a.dcm", identifiable="declared", declared_by="its header declares it", synthetic=False),
        replace(unknown, identifiable="unknown", synthetic=False),
        replace(clear, identifiable="no", synthetic=False),
    )


def test_declared_images_are_left_out_with_what_declares_it(three):
    images = without_declared(ImageSet("s", three, (LeftOut("z.txt", "no image"),), "notice"))
    assert images.records == three[1:]
    assert [entry.name for entry in images.left_out] == ["z.txt", "a.dcm"]
    assert images.left_out[1].reason == ("its header declares it; --audit-burned-in=keep uses it and shows it nowhere")
    assert images.notice == "notice"
    assert without_declared(images) is images


@pytest.mark.parametrize(("burned_in", "n_asked", "n_left_out"), [("leave-out", 2, 1), ("keep", 3, 0)])
def test_a_run_leaves_them_out_unless_told_otherwise(settings, three, function_model, burned_in, n_asked, n_left_out):
    run = prepare(
        replace(settings, burned_in=burned_in),
        EFFECTS,
        find_model=lambda name: function_model(),
        find_images=lambda source, salt, side: ImageSet("s", three),
    )
    assert len(run.plan.records) == n_asked
    assert len(all_left_out(run)) == n_left_out
    assert [run.may_show(record) for record in three] == [False, True, True]
    run.close()


def test_nothing_but_declared_images_is_refused_with_the_reason(settings, three, function_model):
    with pytest.raises(AuditkitError, match=r"a\.dcm: its header declares it; --audit-burned-in=keep"):
        prepare(
            settings,
            EFFECTS,
            find_model=lambda name: function_model(),
            find_images=lambda source, salt, side: ImageSet("s", three[:1]),
        )


def test_without_pictures_none_is_shown(settings, three):
    assert not any(may_show(replace(settings, report_pictures=False), record) for record in three)


class Served:
    def __init__(self, base_url):
        self.base_url = base_url


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://127.0.0.1:8000/v1", ""),
        ("http://127.9.9.9/v1", ""),
        ("http://localhost:8000/v1", ""),
        ("http://[::1]:8000/v1", ""),
        ("http://10.0.0.5:8000/v1", "10.0.0.5"),
        ("http://0.0.0.0:8000/v1", ""),
        ("https://models.example.org/v1", "models.example.org"),
        ("https://localhost.example.org/v1", "localhost.example.org"),
        ("", ""),
    ],
)
def test_this_machine_is_no_remote_host(address, host):
    assert remote_host(address) == host


def test_what_is_said_before_pictures_leave_this_machine(three):
    there = Served("https://models.example.org/v1")
    assert sent_away(there, three) == [
        "auditkit: 3 pictures will be sent to models.example.org; 1 of them declares a name or a face in it "
        "(--audit-burned-in=keep); of 1 nothing says whether a name stands in it."
    ]
    assert sent_away(there, three[2:]) == ["auditkit: 1 picture will be sent to models.example.org."]
    assert sent_away(there, [replace(record, synthetic=True) for record in three]) == []
    shown = {(Perturbation("swap"),): Picture("another", three[0].pictures[0].read)}
    assert sent_away(there, [three[2].with_picture(given=shown)]) == [
        "auditkit: 1 picture will be sent to models.example.org; 1 other of the same source will be shown in place of "
        "some of them."
    ]
    words = replace(three[2], pictures=(), said="s")
    assert sent_away(there, [three[2], words]) == [
        "auditkit: 1 picture will be sent to models.example.org; the words of 1 item without a picture will be sent to "
        "models.example.org."
    ]
    assert sent_away(there, [words]) == [
        "auditkit: the words of 1 item without a picture will be sent to models.example.org."
    ]
    assert sent_away(Served("http://127.0.0.1/v1"), three) == []
    assert sent_away(object(), three) == []


def test_what_the_record_says(settings, three):
    unknown, declared = limits_of(settings, three)
    assert unknown.startswith("Of 1 of the 3 images nothing says whether a name or a date stands in the picture")
    assert declared.startswith("Of 1 of the 3 images the file declares")
    assert limits_of(settings, three[2:]) == []
    assert limits_of(replace(settings, report_pictures=False), three[2:]) == [
        "Pictures were left out of this report (--audit-report-pictures=no)."
    ]
