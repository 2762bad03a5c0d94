import json
import multiprocessing
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from auditkit.errors import AuditkitError
from auditkit.evidence import Data, Evidence, ModelInfo, ProtocolInfo, Run
from auditkit.report.html import render_html
from auditkit.report.pdf import render_pdf
from auditkit.run.outputs import write_outputs
from auditkit.run.settings import check_writable
from auditkit.version import install_line

A_RECORD = Evidence(
    run=Run(id="r1", started="2026-01-01T00:00:00+00:00", finished="2026-01-01T00:00:01+00:00"),
    model=ModelInfo(name="m"),
    protocol=ProtocolInfo(name="p", sha256="0" * 64, profile="ci", alpha=0.05, criteria={}),
    data=Data(source="demo", n_images=0, n_clusters=0, modalities=[], synthetic_share=0.0),
    audits=[],
    verdict="INCONCLUSIVE",
    sentence="No audit was run \udcff.",
)


@pytest.fixture
def evidence() -> Evidence:
    return A_RECORD


def test_record_and_report_are_written_and_nothing_else(evidence, tmp_path):
    folder = tmp_path / "reports" / "m" / "r1"
    report, remarks = write_outputs(evidence, folder, pdf=False)
    assert (report, remarks) == (str(folder / "report.html"), [])
    assert sorted(p.name for p in folder.iterdir()) == ["evidence.json", "report.html"]
    assert json.loads((folder / "evidence.json").read_text(encoding="utf-8"))["verdict"] == "INCONCLUSIVE"
    assert (folder / "evidence.json").read_text(encoding="utf-8") == evidence.to_json()
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_pdf_of_an_earlier_run_never_lies_beside_another_record(evidence, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"%PDF of the run before")
    write_outputs(evidence, tmp_path, pdf=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evidence.json", "report.html"]


def test_a_pdf_that_cannot_be_made_is_a_remark_and_the_rest_is_there(evidence, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    (tmp_path / "report.pdf").write_bytes(b"%PDF of the run before")
    _, (remark,) = write_outputs(evidence, tmp_path)
    assert install_line("pdf") in remark
    assert "report.html is complete" in remark
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evidence.json", "report.html"]


def test_the_reports_are_those_that_the_record_beside_them_gives(evidence, tmp_path):
    """To the byte, as `auditkit verify` compares them, even with text that no file can hold."""
    pytest.importorskip("weasyprint")
    assert write_outputs(evidence, tmp_path)[1] == []
    record = (tmp_path / "evidence.json").read_bytes()
    read = Evidence.from_json(record.decode())
    assert read.sentence != evidence.sentence
    assert (tmp_path / "report.pdf").read_bytes() == render_pdf(read, record)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render_html(read, record)


def test_latest_points_at_the_last_run_and_can_be_moved_with_the_reports(evidence, tmp_path):
    latest = tmp_path / "reports" / "m" / "latest"
    for name in ("r1", "r2"):
        (latest.parent / name).mkdir(parents=True)
        (latest.parent / f".latest-{os.getpid()}").symlink_to("left by a killed process")
        write_outputs(evidence, latest.parent / name, latest, pdf=False)
        assert str(latest.readlink()) == name
    (tmp_path / "reports").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "m" / "latest" / "evidence.json").is_file()
    assert sorted(p.name for p in (tmp_path / "moved" / "m").iterdir()) == ["latest", "r1", "r2"]


def test_latest_elsewhere_and_a_real_folder_of_that_name(evidence, tmp_path):
    latest = tmp_path / "latest"
    write_outputs(evidence, tmp_path / "deep" / "r1", latest, pdf=False)
    assert (latest / "evidence.json").is_file()
    taken = tmp_path / "taken"
    taken.mkdir()
    write_outputs(evidence, tmp_path / "deep" / "r2", taken, pdf=False)
    assert taken.is_dir()
    assert not taken.is_symlink()


def test_folder_that_cannot_be_written_says_that_the_answers_are_kept(evidence, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(AuditkitError, match="could not be written") as raised:
        write_outputs(evidence, tmp_path / "file" / "run", pdf=False)
    assert "The answers are in the store" in raised.value.remedy


def _with_little_space(folder: str, room: int, results) -> None:
    """Write into a folder where no file may be larger than `room` bytes, as on a disk that is nearly full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        write_outputs(A_RECORD, Path(folder), pdf=False)
        results.put("written")
    except AuditkitError as error:
        results.put(str(error))


@pytest.mark.parametrize("room", [0, 500, 4096])
def test_full_disk_leaves_no_half_record(tmp_path, room):
    """Writing beside and renaming: the record of the run before stays whole, and nothing lies beside it."""
    write_outputs(A_RECORD, tmp_path, pdf=False)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()
    process = fork.Process(target=_with_little_space, args=(str(tmp_path), room, results))
    process.start()
    process.join()
    assert "could not be written to" in results.get()
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys()
    assert Evidence.from_json(after["evidence.json"].decode())
    if room < len(before["evidence.json"]):
        assert after == before


def test_what_a_killed_process_left_goes_with_the_next_record(evidence, tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    left, fresh = (tmp_path / f".auditkit-{gone.pid}-{end * 8}.part" for end in "ab")
    running, other = tmp_path / f".auditkit-{os.getpid()}-{'c' * 8}.part", tmp_path / ".auditkit-init.json"
    for path in (left, fresh, running, other):
        path.write_text("half")
    for path in (left, running, other):
        os.utime(path, (0, 0))
    write_outputs(evidence, tmp_path, pdf=False)
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"evidence.json", "report.html", fresh.name, running.name, other.name}


def test_a_record_is_on_the_disk_before_it_is_in_place(evidence, tmp_path, monkeypatch):
    order = []
    force, put = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda d: (order.append("forced"), force(d))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (order.append(Path(to).name), put(self, to))[1])
    write_outputs(evidence, tmp_path, pdf=False)
    assert order == ["forced", "evidence.json", "forced", "forced", "report.html", "forced"]


@pytest.mark.parametrize("name", ["50%41 off", "a\nb::error::c", "x" * 255])
def test_odd_names_of_the_folder(evidence, tmp_path, name):
    report, _ = write_outputs(evidence, tmp_path / name, pdf=False)
    assert (tmp_path / name / "evidence.json").is_file()
    assert report.isprintable()


@pytest.mark.parametrize("name", ["x" * 256, "x/" * 3000, "nul\0", "https://me:s3cret@host/x"])
def test_names_that_no_folder_can_have_are_refused_in_a_sentence(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AuditkitError, match="--audit-out") as raised:
        check_writable(Path(name))
    assert len(str(raised.value)) < 400
    assert "s3cret" not in str(raised.value)
    assert str(raised.value).isprintable()
    assert not list(tmp_path.iterdir())
