"""What the plugin must not do to sessions that have nothing to do with it."""

import subprocess
import sys


def test_silent_in_other_sessions(pytester, monkeypatch):
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess()
    assert result.ret == 0
    assert "auditkit =" not in result.stdout.str()
    assert not (pytester.path / ".auditkit").exists()
    assert not (pytester.path / "reports").exists()


def test_importing_the_plugin_imports_nothing_heavy():
    code = (
        "import sys, auditkit.plugin, auditkit.plugin.state\n"
        "heavy = {'numpy', 'scipy', 'torch', 'transformers', 'pydantic', 'sqlalchemy', 'jinja2', 'matplotlib', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_collecting_audits_imports_no_model_and_no_numbers(bench):
    bench.makeconftest(
        "import sys\n"
        "def pytest_sessionfinish(session):\n"
        "    heavy = {'numpy', 'scipy', 'torch', 'transformers', 'pydantic', 'sqlalchemy', 'pandas'}\n"
        "    print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    result = bench.runpytest_subprocess("audits", "--collect-only", "-q", "-s")
    assert "HEAVY []" in result.stdout.str()
    assert result.ret == 0


def test_options_are_documented_in_one_group(pytester):
    result = pytester.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(
        ["audits of vision-language models:*", "*--audit-model=NAME*", "*--audit-data=SRC*", "*--audit-dry-run*"]
    )


def test_nothing_collected_is_not_a_pass(bench):
    result = bench.runpytest_subprocess("audits", "--model=stub_models:base", "-k", "no_such_audit")
    assert result.ret == 5
