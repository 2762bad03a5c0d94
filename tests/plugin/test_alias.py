"""``--model`` is short for ``--audit-model``, unless somebody else has an option of that name."""

import pytest

from auditkit.plugin.alias import spelt_out
from tests.plugin.conftest import evidence_of

THEIRS = """
def pytest_addoption(parser):
    parser.addoption("--model", {how})

def pytest_report_header(config):
    return f"theirs: {{config.getoption('--model')}}"
"""
HOWS = [
    'default="resnet"',
    'action="store_true"',
    "type=int, default=3",
    'choices=("resnet", "vit")',
    '"-M", default="x"',
]
NOTHING = "def test_nothing(): pass\n"


@pytest.fixture
def theirs(bench):
    """A project that has nothing to do with audits."""
    for path in (bench.path / "audits").iterdir():
        path.unlink()
    (bench.path / "audits").rmdir()
    (bench.path / "tests").mkdir()
    (bench.path / "tests/test_theirs.py").write_text(NOTHING)
    return bench


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("where", [".", "tests"])
def test_a_project_may_have_an_option_of_that_name(theirs, forked, how, where):
    (theirs.path / where / "conftest.py").write_text(THEIRS.format(how=how))
    result = forked.pytest("tests", cwd=theirs.path)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["theirs: *"])


@pytest.mark.parametrize("typed", [("--model=vit",), ("--model", "vit")], ids=["equals", "space"])
@pytest.mark.parametrize("where", [".", "tests"])
def test_what_is_typed_is_theirs_then(theirs, forked, typed, where):
    (theirs.path / where / "conftest.py").write_text(THEIRS.format(how='default="resnet"'))
    result = forked.pytest(*typed, "tests", cwd=theirs.path)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["theirs: vit"])


def test_another_plugin_may_have_it(theirs, forked):
    theirs.makepyfile(other_plugin=THEIRS.format(how='default="resnet"'))
    result = forked.pytest("-p", "other_plugin", "--model=vit", "tests", cwd=theirs.path)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["theirs: vit"])


def test_a_conftest_that_is_read_late_breaks_nothing(theirs, forked):
    below = theirs.path / "src/deep"
    below.mkdir(parents=True)
    (below / "conftest.py").write_text("def pytest_addoption(parser):\n    parser.addoption('--model', default='x')\n")
    (below / "test_deep.py").write_text(NOTHING)
    result = forked.pytest(cwd=theirs.path)
    assert result.ret == 0
    result.assert_outcomes(passed=2)


def test_both_in_one_project(bench, forked):
    bench.makeconftest(THEIRS.format(how='default="resnet"'))
    given = ("audits", "--audit-data=pictures", "-k", "asked-twice", "--audit-out=out", "--model=vit")
    result = forked.pytest(*given, "--audit-model=stub_models:base", cwd=bench.path)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["theirs: vit"])
    assert evidence_of(bench, "out").model.name == "stub"
    result = forked.pytest(*given, cwd=bench.path)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no model was named*--audit-model=NAME*--model is an option of another*"])


@pytest.mark.parametrize("typed", [("--model", "stub_models:base"), ("--model=stub_models:base",)])
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one-process", "worker"])
def test_the_short_name_works_with_and_without_workers(bench, forked, typed, workers):
    given = ("audits", "--audit-data=pictures", "-k", "asked-twice", "--audit-out=out")
    assert forked.pytest(*typed, *given, *workers, cwd=bench.path).ret == 0
    assert evidence_of(bench, "out").model.name == "stub"


def test_the_name_of_a_model_is_no_path_to_look_for_a_conftest(bench, forked):
    """With a path that is not there, pytest would read no conftest.py of `testpaths`."""
    bench.makeini("[pytest]\ntestpaths = audits\naddopts = -p no:cacheprovider -p no:hypothesispytest\n")
    (bench.path / "audits/conftest.py").write_text("def pytest_addoption(parser):\n    parser.addoption('--ward')\n")
    given = ("--audit-data=pictures", "-k", "asked-twice", "--audit-report=html", "--audit-out=out")
    assert forked.pytest("--model", "stub_models:base", "--ward=7", *given, cwd=bench.path).ret == 0


def test_words_that_only_look_like_it_are_left_alone():
    assert spelt_out(["audits", "-k", "model", "--model-sd=3", "--models"]) is None
    assert spelt_out(["--", "--model=x"]) is None
    assert spelt_out(["--model", "x", "--", "--model"]) == ["--audit-model", "x", "--", "--model"]
    assert spelt_out(["--model=a=b"]) == ["--audit-model=a=b"]
