"""The page and the PDF: the record inside, the hash they print, and every word that people read."""

from __future__ import annotations

import base64
import gzip
import io
import re
import shutil

import pytest

from auditkit.errors import AuditkitError
from auditkit.evidence.reading import read_evidence
from auditkit.records.verify import exit_code, verify
from auditkit.records.verify.checks import OPEN
from auditkit.records.verify.pages import check_html
from auditkit.records.verify.record import sha256
from auditkit.report.html import render_html
from auditkit.version import install_line
from tests.records.verify.conftest import Made, run_once
from tests.records.verify.test_record_tampered import found, put

EMBEDDED = re.compile(r'(?<=data:application/gzip;base64,)[^"]*')


def edit_page(made: Made, edit) -> None:
    page = made.folder / "report.html"
    text = page.read_text()
    changed = edit(text)
    assert changed != text
    page.write_text(changed)


def embed(record: bytes):
    packed = base64.b64encode(gzip.compress(record, mtime=0)).decode()
    return lambda text: EMBEDDED.sub(packed, text)


def test_other_record_in_the_page(made: Made):
    edit_page(made, embed(made.record.read_bytes().replace(b'"FAIL"', b'"PASS"')))
    assert "report.html holds the record of evidence.json, byte for byte" in found(made.verify())
    assert "another record: SHA-256" in found(made.verify("report.html")), "the page is checked by its own record"


def test_record_packed_otherwise_is_the_same_record(made: Made):
    """Another zlib packs the same bytes otherwise; only what they unpack to counts."""
    stored = base64.b64encode(gzip.compress(made.record.read_bytes(), compresslevel=1, mtime=7)).decode()
    edit_page(made, lambda text: EMBEDDED.sub(stored, text))
    assert made.code(".") == 0


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: EMBEDDED.sub("AAAA", text), "its embedded record cannot be unpacked"),
        (lambda text: EMBEDDED.sub(base64.b64encode(gzip.compress(b"x")[:-4]).decode(), text), "cannot be unpacked"),
        (lambda text: text.replace('<a id="evidence"', '<a id="was"'), "it has 0 embedded records instead of one"),
        (lambda text: text.replace("</body>", '<a id="evidence" href="data:,">.</a></body>'), "it has 2 embedded"),
        (lambda text: text.replace("data:application/gzip;base64", "data:text/plain;base64"), "does not begin with"),
    ],
    ids=["no gzip", "cut short", "none", "two", "another kind"],
)
def test_page_without_a_record_that_can_be_read(made: Made, edit, words):
    edit_page(made, edit)
    assert words in found(made.verify())
    assert words in found(made.verify("report.html"))


def test_printed_hash(made: Made):
    digest = sha256(made.record.read_bytes())
    edit_page(made, lambda text: text.replace(f"<code>{digest}</code>", f"<code>{'0' * 64}</code>"))
    assert f"states no SHA-256 that is the record's, {digest}" in found(made.verify())


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("INCONCLUSIVE", "PASS", 1),
        lambda text: text.replace("</style>", ".verdict { display: none }</style>", 1),
        lambda text: text.replace("</body>", "<p>Approved for clinical use.</p></body>"),
    ],
    ids=["a verdict", "a rule that hides", "a sentence more"],
)
def test_word_of_the_page_with_its_record_intact(made: Made, edit):
    """What people read is the page, not the record inside."""
    edit_page(made, edit)
    words = found(made.verify("report.html"))
    assert "is not the page that this record gives" in words
    assert "at the first difference the page has «" in words


def test_a_changed_drawing_is_found(made: Made):
    """The figures are drawn from the record alone, so a moved marker is a changed page."""
    edit_page(made, lambda text: re.sub(r'(<path[^>]* d=")M', r"\1M 0 0 L", text, count=1))
    assert "is not the page that this record gives" in found(made.verify("report.html"))


def test_a_page_of_another_version_is_not_judged(made: Made):
    """Another version words and draws otherwise; that is no forgery, and no pass."""
    evidence, _ = read_evidence(made.record)
    run = evidence.run.model_copy(update={"packages": {**evidence.run.packages, "auditkit": "0.0.1"}})
    older = evidence.model_copy(update={"run": run})
    page = made.folder / "elsewhere.html"
    page.write_text(render_html(older, older.to_json().encode()).replace("Summary", "Overview"), encoding="utf-8")
    check = check_html(page, older, older.to_json().encode())
    assert check.state == OPEN
    assert "made by auditkit 0.0.1" in check.words


def test_terminal_shows_foreign_text_harmless(made: Made, capsys):
    """A file under check may try to write the answer itself."""
    from auditkit.cli import main

    (made.folder / "report.html").unlink()
    made.change(put("sentence", "x\nok              record     all fine \x1b[2J\u202e"))
    main(["verify", str(made.record), f"--store={made.store}", f"--audit-data={made.images}"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert not any(line.startswith("ok") and "all fine" in line for line in out.splitlines())


# --- the PDF --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_pdf(tmp_path_factory, pictures, salt) -> Made:
    pytest.importorskip("weasyprint")
    pytest.importorskip("pikepdf")
    one = ("answers/quality.direct-refused",)
    return run_once(tmp_path_factory.mktemp("pdf"), pictures, ids=one, page=True, pdf=True)


@pytest.fixture
def printed(with_pdf: Made, tmp_path) -> Made:
    shutil.copytree(with_pdf.folder, tmp_path / "out")
    return Made(tmp_path / "out", with_pdf.store, with_pdf.images)


def rewrite(made: Made, edit) -> None:
    import pikepdf

    path = made.folder / "report.pdf"
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        edit(pdf)
        pdf.save(path)


@pytest.mark.slow
def test_pdf_holds_and_is_rendered_again_byte_for_byte(printed: Made):
    checks = printed.verify("report.pdf")
    assert [check for check in checks if check.state != "ok"] == []
    assert any("byte for byte, the PDF that this record gives" in check.words for check in checks)
    alone = printed.folder.parent / "alone.pdf"
    shutil.copy(printed.folder / "report.pdf", alone)
    assert exit_code(verify(alone, store=str(printed.store), data=str(printed.images))) == 0


@pytest.mark.slow
def test_pdf_that_is_not_what_the_record_gives_is_never_a_pass(printed: Made):
    """A changed page, or a signature inside: a PDF reader has to say which."""
    rewrite(printed, lambda pdf: pdf.pages[0].rotate(180, relative=True))
    checks = printed.verify("report.pdf")
    assert exit_code(checks) == 3
    assert any("is not, byte for byte, the PDF" in check.words for check in checks)
    with (printed.folder / "report.pdf").open("wb") as stream:
        stream.write(rendered(printed) + b"\n% signed")
    assert any("goes on for 9 bytes" in check.words for check in printed.verify("report.pdf"))


def rendered(made: Made) -> bytes:
    from auditkit.report.pdf import render_pdf

    return render_pdf(made.evidence, made.record.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evidence.json", "protocol.toml"])
def test_attachment_of_the_pdf(printed: Made, name):
    import pikepdf

    def edit(pdf: pikepdf.Pdf) -> None:
        data = pdf.attachments[name].get_file().read_bytes().replace(b"0.3", b"0.9")
        pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name)

    rewrite(printed, edit)
    words = found(printed.verify())
    assert ("another record: SHA-256" if name == "evidence.json" else "the attachment protocol.toml is not") in words


@pytest.mark.slow
def test_pdf_without_its_record(printed: Made):
    def edit(pdf) -> None:
        del pdf.attachments["evidence.json"]

    rewrite(printed, edit)
    assert "it has no attachment evidence.json" in found(printed.verify())
    (printed.folder / "report.pdf").write_bytes(b"%PDF-1.7\nnothing")
    assert "it cannot be opened as a PDF" in found(printed.verify())


def test_pdf_without_pikepdf_says_what_to_install(made: Made, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pikepdf", None)
    (made.folder / "report.pdf").write_bytes(io.BytesIO(b"%PDF-1.7").read())
    checks = made.verify()
    assert exit_code(checks) == 3
    assert any(install_line("verify") in check.words for check in checks)
    with pytest.raises(AuditkitError, match="pikepdf"):
        made.verify("report.pdf")
