"""Every wrong input gets a sentence with what to type, exit code 4, and no traceback."""

import pytest

from auditkit.evidence import Evidence


def refused(result, *patterns):
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    for pattern in patterns:
        assert pattern in text, text


def test_no_model(bench):
    refused(bench.runpytest_subprocess("audits", "--audit-data=pictures"), "no model was named", "--model reference")


def test_unknown_model_offers_the_nearest(audit_run):
    refused(audit_run(model="referense"), "is unknown", "Did you mean reference")


def test_model_without_generate(audit_run):
    refused(audit_run(model="stub_models:silent"), "no method generate")


def test_model_module_that_does_not_exist(audit_run):
    refused(audit_run(model="nowhere.to.be:found"), "importing nowhere.to.be failed")


def test_unknown_protocol_key(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text().replace("margin = 5.0", "margn = 5.0", 1))
    refused(audit_run(), "families.metadata.margn: unknown key", "did you mean 'margin'", "tail_points")


def test_invalid_protocol_value(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text().replace("margin = 5.0", "margin = -5.0", 1))
    refused(audit_run(), "families.metadata.margin", "-5.0")


def test_missing_protocol(audit_run):
    refused(audit_run("--audit-protocol=none.toml"), "none.toml does not exist")


def test_empty_folder(bench, audit_run):
    bench.mkdir("nothing")
    refused(audit_run(data="nothing"), "nothing", "is empty", "a folder of images or DICOM files")


def test_no_readable_image(bench, audit_run):
    folder = bench.mkdir("bad")
    (folder / "a.png").write_text("no picture")
    refused(audit_run(data="bad"), "a.png")


def test_only_truncated_images(bench, audit_run):
    folder = bench.mkdir("bad")
    whole = (bench.path / "pictures/p000.png").read_bytes()
    (folder / "a.png").write_bytes(whole[: len(whole) // 2])
    refused(audit_run(data="bad"), "a.png")


def test_source_that_does_not_exist(audit_run):
    refused(audit_run(data="nowhere"), "nowhere")


def test_manifest_without_file_name(bench, audit_run):
    (bench.path / "list.csv").write_text("path,patient_id\npictures/p000.png,1\n")
    refused(audit_run(data="list.csv"), "file_name", "path, patient_id")


def test_output_not_writable(bench, audit_run):
    (bench.path / "taken").write_text("a file")
    refused(audit_run("--audit-out=taken/out"), "--audit-out", "cannot be written")


def test_damaged_store(bench, audit_run):
    (bench.path / "broken.sqlite").write_bytes(b"this is no database" * 100)
    refused(audit_run("--audit-store=broken.sqlite"), "damaged or is no database", "mv ")


def test_store_of_another_version(bench, audit_run):
    import sqlite3

    audit_run("--audit-out=out", "-k", "asked-twice", "--audit-store=s.sqlite")
    connection = sqlite3.connect(bench.path / "s.sqlite")
    connection.execute("update meta set value='99' where name='schema'")
    connection.commit()
    connection.close()
    refused(audit_run("--audit-store=s.sqlite"), "schema version 99")


def test_store_in_use(bench, audit_run):
    from filelock import FileLock

    with FileLock(bench.path / "s.sqlite.lock"):
        (bench.path / "s.sqlite.holder").write_text('{"uid": "other", "pid": 4242}')
        refused(audit_run("--audit-store=s.sqlite"), "in use by another run", "4242")


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_limit_that_is_no_number(audit_run, value):
    refused(audit_run(f"--audit-limit={value}"), "--audit-limit")


def test_unknown_profile(audit_run):
    refused(audit_run("--audit-profile=strict"), "strict", "ci")


def test_problem_in_xdist_workers_reaches_the_user(audit_run):
    result = audit_run("-n", "2", model="referense")
    text = result.stdout.str()
    assert result.ret == 1
    assert "Did you mean reference" in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text


def test_undeclared_family_is_an_error_with_the_line_to_add(bench, audit_run):
    (bench.path / "audits/test_own.py").write_text(
        "import pytest\nfrom auditkit.vocabulary import Condition, Contrast\n"
        "@pytest.mark.parametrize('c', [Contrast('x', 'mine', Condition(repeat=1))], ids=str)\n"
        "def test_own(c, audit):\n    audit.agrees(c)\n"
    )
    result = audit_run("--audit-out=out", "-k", "test_own")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*[[]families.mine]*"])
    record = Evidence.from_json((bench.path / "out/evidence.json").read_text())
    assert [(a.id, a.verdict) for a in record.audits] == [("mine/x", "ERROR")]
    assert record.verdict == "ERROR"


def test_gate_that_is_not_the_familys(bench, audit_run):
    (bench.path / "audits/test_own.py").write_text(
        "import pytest\nfrom auditkit.protocol.shipped import repeatability_contrasts\n"
        "@pytest.mark.parametrize('c', repeatability_contrasts()[:1], ids=str)\n"
        "def test_own(c, audit):\n    audit.equivalent(c)\n"
    )
    result = audit_run("--audit-out=out", "-k", "test_own")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*declares 'agreement'*"])


def test_more_looks_than_there_can_be(audit_run):
    refused(audit_run("--audit-looks=9"), "--audit-looks=9", "1 to 4")
