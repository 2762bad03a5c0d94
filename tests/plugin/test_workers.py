"""A run keeps its record whatever becomes of its processes, and says where there is none."""

import pytest

from tests.plugin.conftest import evidence_of

FEW = ("-k", "asked-twice or gaussian_noise", "--audit-out=out")
ALL_OF_FEW = {"repeatability/asked-twice", "sensitivity/gaussian_noise"}

# What reruns do about a crash: the test is put to another worker, and the crash itself fails nothing.
RERUNS = """
import os
import pytest

def pytest_runtest_setup(item):
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        os._exit(1)

@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem, report, sched):
    sched.mark_test_pending(crashitem)
    report.outcome = "rerun"
"""


def ids(record):
    return {audit.id for audit in record.audits}


def test_the_first_worker_may_die_and_the_run_keeps_its_record(bench, audit_run):
    bench.makeconftest(RERUNS)
    result = audit_run(*FEW, "-n", "2")
    result.stdout.fnmatch_lines(["*node down*"])
    assert result.ret == 1, "the stub does not see noise"
    assert ids(evidence_of(bench, "out")) == ALL_OF_FEW


def test_a_green_run_of_which_the_first_worker_died_is_recorded(bench, audit_run):
    bench.makeconftest(RERUNS)
    result = audit_run("-k", "asked-twice", "--audit-out=out", "-n", "2")
    assert result.ret == 0
    assert evidence_of(bench, "out").audits[0].verdict == "PASS"


def test_workers_may_have_any_name(bench, audit_run):
    result = audit_run(*FEW, "--dist=load", "--tx", "popen//id=left", "--tx", "popen//id=right")
    assert result.ret == 1
    assert ids(evidence_of(bench, "out")) == ALL_OF_FEW


def test_a_worker_killed_after_its_last_audit_takes_nothing_with_it(bench, audit_run):
    bench.makeconftest(
        "import os\n"
        "def pytest_sessionfinish(session):\n"
        "    if hasattr(session.config, 'workerinput'):\n"
        "        os._exit(1)\n"
    )
    audit_run(*FEW, "-n", "2")
    assert ids(evidence_of(bench, "out")) == ALL_OF_FEW


def test_a_run_stopped_at_its_first_failure_is_recorded_by_workers_too(bench, audit_run):
    result = audit_run("-k", "gaussian_noise", "--audit-out=out", "-x", "-n", "2")
    assert result.ret != 0
    assert ids(evidence_of(bench, "out")) == {"sensitivity/gaussian_noise"}


def test_no_older_record_stays_beside_a_run_that_writes_none(bench, audit_run):
    audit_run("-k", "asked-twice", "--audit-out=out")
    (bench.path / "out/notes.txt").write_text("mine")
    bench.makeconftest("import os\ndef pytest_runtest_setup(item):\n    os._exit(1)\n")
    result = audit_run("-k", "asked-twice", "--audit-out=out", "-n", "1", "--max-worker-restart=0")
    assert result.ret != 0
    assert [path.name for path in (bench.path / "out").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("how", ["--audit-dry-run", "--audit-list", "--collect-only", "--setup-plan", "--fixtures"])
def test_a_session_that_asks_nothing_leaves_an_earlier_record_alone(bench, audit_run, how):
    audit_run("-k", "asked-twice", "--audit-out=out")
    before = (bench.path / "out/evidence.json").read_bytes()
    assert audit_run("-k", "asked-twice", "--audit-out=out", how).ret == 0
    assert (bench.path / "out/evidence.json").read_bytes() == before


def test_judged_audits_without_a_record_are_said_and_are_not_green(bench, audit_run):
    bench.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_runtest_makereport(item):\n"
        "    report = yield\n"
        "    report.__dict__.pop('auditkit_run', None)\n"
        "    return report\n"
    )
    result = audit_run("-k", "asked-twice", "--audit-out=out", "-n", "1")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*1 audit was judged, but*no record was written*"])
    assert not (bench.path / "out/evidence.json").exists()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "two"])
def test_audits_of_which_none_is_judged_are_said_and_are_not_green(bench, audit_run, workers):
    bench.makeconftest("import pytest\ndef pytest_runtest_setup(item):\n    pytest.skip('not today')\n")
    result = audit_run(*FEW, *workers)
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*2 audits were collected and none was judged*no record*"])
    assert not (bench.path / "out/evidence.json").exists()


def test_the_record_to_compare_with_is_not_written_over(bench, audit_run):
    audit_run("-k", "asked-twice", "--audit-out=out")
    before = (bench.path / "out/evidence.json").read_bytes()
    result = audit_run("-k", "asked-twice", "--audit-out=out", "--audit-baseline=out/evidence.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--audit-baseline=*evidence.json is where this run writes its own record*"])
    assert (bench.path / "out/evidence.json").read_bytes() == before


AWAY = """
from stub_models import Base
class Away(Base):
    base_url = "http://models.example:8000/v1"
away = Away()
"""


@pytest.mark.parametrize("workers", [("-n", "2"), ("--dist=load", "--tx", "popen//id=a", "--tx", "popen//id=b")])
def test_that_pictures_leave_the_machine_is_said_once_whatever_the_workers_are_called(bench, audit_run, workers):
    (bench.path / "away_model.py").write_text(AWAY)
    result = audit_run("-k", "asked-twice", "--audit-out=out", *workers, model="away_model:away")
    assert (result.stdout.str() + result.stderr.str()).count("60 pictures will be sent to models.example") == 1
