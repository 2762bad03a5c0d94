"""Commands run in processes forked from one that has the package loaded.

Two of the three seconds of a short run are imports, which a fork is spared. It has its own memory, folder, environment,
output and exit code as any other process has. What it shares with its parent is what the interpreter fixes when it
starts (the seed of hashes, the locale), the modules of `LOADED` and the compiled templates of the page: tests of these
start an interpreter of their own.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What every run imports; no library of models, because a run must be seen to do without.
LOADED = (
    "auditkit.images.demo", "auditkit.images.sources", "auditkit.images.thumbnail", "auditkit.judge.cases",
    "auditkit.judge.judge", "auditkit.judge.looks", "auditkit.models.resolve", "auditkit.perturbations.display.noise",
    "auditkit.plugin.fixture", "auditkit.plugin.hooks", "auditkit.plugin.progress", "auditkit.records.baseline",
    "auditkit.report.ci.junit", "auditkit.report.ci.publish", "auditkit.report.html", "auditkit.report.pdf",
    "auditkit.report.terminal", "auditkit.run.dry_run", "auditkit.run.outputs", "auditkit.run.record",
    "auditkit.run.session", "scipy.stats", "sqlalchemy.dialects.sqlite",
)  # fmt: skip


class Forked:
    """Runs `python -m` one after the other, each in a fork of one process that is started when first needed."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._server:
            self._server.communicate()  # closes its input, at which it ends

    def run(self, module: str, *arguments: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a module as ``python -m`` does, in a folder, with these variables and no others."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = (Path(folder) / name for name in ("out", "err"))
            order = {"module": module, "arguments": arguments, "cwd": str(cwd), "env": dict(env)}
            code = self._asked({**order, "out": str(out), "err": str(err)})
            said, complained = (path.read_text(encoding="utf-8") for path in (out, err))
        return subprocess.CompletedProcess([module, *arguments], code, said, complained)

    def pytest(self, *arguments: str, cwd: Path) -> pytest.RunResult:
        """Run pytest as `Pytester.runpytest_subprocess` does, with the variables of this process."""
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=cwd, prefix="runpytest-") as base:
            done = self.run("pytest", f"--basetemp={base}/base", *arguments, cwd=cwd, env=os.environ)
        print(done.stdout)
        print(done.stderr, file=sys.stderr)
        code = pytest.ExitCode(done.returncode) if done.returncode in list(pytest.ExitCode) else done.returncode
        lines = (done.stdout.splitlines(), done.stderr.splitlines())
        return pytest.RunResult(code, *lines, time.monotonic() - start)

    def _asked(self, order: dict[str, object]) -> int:
        if self._server is None:
            self._server = _started()
        to, back = self._server.stdin, self._server.stdout
        assert to is not None
        assert back is not None
        print(json.dumps(order), file=to, flush=True)
        answer = back.readline()
        if not answer:
            raise RuntimeError("the process that forks has ended; what it said stands above")
        return int(answer)


def _started() -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.forked"],
        cwd=ROOT,
        env={**env, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class _Loading:
    """A plugin that loads the package while pytest's loader, which rewrites asserts, is in place as in a true run."""

    def pytest_collection_finish(self) -> None:
        for module in LOADED:
            importlib.import_module(module)
        from auditkit.report.html import templates  # here, because only pytest's loader rewrites asserts

        for name in templates().list_templates(extensions=["j2"]):
            templates().get_template(name)


def _serve() -> None:
    with tempfile.TemporaryDirectory() as nothing, contextlib.redirect_stdout(io.StringIO()) as said:
        options = ["-c", os.devnull, f"--rootdir={nothing}", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
        # xdist keeps the path of imports as it was when it was loaded, so each fork loads it for itself.
        options += ["-p", "no:xdist", "-p", "no:xdist.looponfail"]
        code = pytest.main([nothing, *options], plugins=[_Loading()])
    if code is not pytest.ExitCode.NO_TESTS_COLLECTED:
        sys.exit(said.getvalue())
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(module: str, arguments: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> NoReturn:
    """Be what ``python -m module`` is in that folder and environment, to its end."""
    code: object = 1
    try:
        for number, path, mode in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
            opened = os.open(path, mode | os.O_CREAT, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        time.tzset()
        folders = [folder for folder in env.get("PYTHONPATH", "").split(os.pathsep) if folder]
        sys.path[:2] = [cwd, *folders]  # in the place of the server's own two: its folder and its PYTHONPATH
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _serve()
