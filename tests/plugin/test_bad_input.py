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
    refused(bench.runpytest_subprocess("audits", "--audit-data=pictures"), "no model was named", "--model=reference")


def test_unknown_model_offers_the_nearest(audit_run):
    refused(audit_run(model="referense"), "is unknown", "Did you mean 'reference'")


def test_model_without_generate(audit_run):
    refused(audit_run(model="stub_models:silent"), "no method generate")


def test_model_module_that_does_not_exist(audit_run):
    refused(audit_run(model="nowhere.to.be:found"), "'nowhere.to.be' cannot be imported")


def test_unknown_protocol_key(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text().replace("within = 5.0", "withn = 5.0", 1))
    refused(audit_run(), "families.metadata.withn: unknown key", "Did you mean 'within'", "in_each")


def test_invalid_protocol_value(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text().replace("within = 5.0", "within = -5.0", 1))
    refused(audit_run(), "families.metadata.within", "-5.0")


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
    refused(audit_run("--audit-store=broken.sqlite"), "damaged or is not a database", "mv ")


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
    assert "Did you mean 'reference'" in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text


def test_undeclared_family_is_an_error_with_the_line_to_add(bench, audit_run):
    (bench.path / "audits/test_own.py").write_text(
        "import pytest\nfrom auditkit import Perturbation, differs\n"
        "@pytest.mark.parametrize('e', [differs(Perturbation('again', 1), name='x', family='mine')], ids=str)\n"
        "def test_own(e, audit):\n    audit.at_most(e)\n"
    )
    result = audit_run("--audit-out=out", "-k", "test_own")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*[[]families.mine]*"])
    record = Evidence.from_json((bench.path / "out/evidence.json").read_text())
    assert [(a.id, a.verdict) for a in record.audits] == [("mine/x", "ERROR")]
    assert record.verdict == "ERROR"


def test_verb_that_is_not_the_familys(bench, audit_run):
    (bench.path / "audits/test_own.py").write_text(
        "import pytest\nfrom auditkit import shipped\n"
        "@pytest.mark.parametrize('e', shipped.repeatability()[:1], ids=str)\n"
        "def test_own(e, audit):\n    audit.within(e)\n"
    )
    result = audit_run("--audit-out=out", "-k", "test_own")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*declares at_most for the family 'repeatability'*"])


def test_more_looks_than_there_can_be(audit_run):
    refused(audit_run("--audit-looks=9"), "--audit-looks=9", "1 to 4")


def test_families_as_they_were_written_first_are_refused_with_the_lines_to_type(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    text = path.read_text()
    path.write_text(text.replace("at_least = 2.0", 'gate = "sensitivity"\nfloor = 2.0'))
    refused(audit_run(), "families.sensitivity.gate", "at_least = 2.0")


def test_a_percentage_for_a_share(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    before, after = ("[families.repeatability]\nat_most = " + limit for limit in ("0.1", "10.0"))
    path.write_text(path.read_text().replace(before, after))
    refused(audit_run(), "families.repeatability.at_most = 10", "Write 10 % as 0.1")


def test_what_the_protocol_does_not_name_cannot_be_asked(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text() + "[families.mine]\nwithin = 5.0\nsize = 1\n")
    (bench.path / "audits/test_own.py").write_text(
        "import pytest\nfrom auditkit import share\n"
        "@pytest.mark.parametrize('e', [share('refused', 'grade', name='x', family='mine')], ids=str)\n"
        "def test_own(e, audit):\n    audit.at_most(e)\n"
    )
    path.write_text(
        path.read_text()
        .replace("within = 5.0\nsize = 1", "at_most = 0.5\nsize = 1")
        .replace("[families.answers]\nat_most = 0.1\n", "")
    )
    refused(audit_run("-k", "test_own"), "mine/x uses grade.direct", 'covers = ["grade.direct"]')


def test_a_role_that_nobody_plays(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text() + "[families.mine]\nat_most = 5.0\nsize = 1\n")
    (bench.path / "audits/test_own.py").write_text(
        "import pytest\nfrom auditkit import mean\n"
        "@pytest.mark.parametrize('e', [mean(family='mine').by('judge')], ids=str)\n"
        "def test_own(e, audit):\n    audit.at_most(e)\n"
    )
    refused(audit_run("-k", "test_own"), "judge")


def test_a_family_of_ones_own_without_its_size_is_refused_before_anything_is_asked(bench, audit_run):
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text() + "[families.mine]\nwithin = 5.0\n")
    (bench.path / "audits/test_own.py").write_text(
        "import pytest\nfrom auditkit import Perturbation, change, rises\n"
        "OWN = [change(Perturbation('expertise.neutral'), family='mine'), rises('gaussian_noise', family='mine')]\n"
        "@pytest.mark.parametrize('effect', OWN, ids=str)\n"
        "def test_own(effect, audit):\n    audit.within(effect)\n"
    )
    refused(audit_run("-k", "test_own"), "Write size = 6", "[families.mine]")
    assert not (bench.path / "calls.log").exists(), "nothing was asked"
