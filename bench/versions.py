"""The finished commands of this checkout beside those of another commit: ratios of processor seconds.

``python -m bench versions --against COMMIT`` makes a worktree of that commit in the temporary folder, and runs each
command in both trees by turns with the Python that runs this. Counted are user and system seconds of the command and
its children, which other work on the machine hardly changes. Audits of which the other commit has no test function are
left out in both; each tree renders the record that it wrote itself.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 5
PATIENTS = 48
QUESTIONS = 10_000
ROOT = Path(__file__).resolve().parent.parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PLUGIN = re.compile(r'\[project\.entry-points\.pytest11\]\s*"?([\w.]+)"?\s*=\s*"([\w.]+)"')

# Two parts of every run by themselves, through the other benchmarks, which each tree has for its own interfaces.
ENGINE = f"""
import sys, time
from bench import scale
time.perf_counter = time.process_time
sys.argv[1:] = ["{QUESTIONS}", "shipped"]
exec(scale._CHILD)
"""
VERDICT = """
from bench import statistics
print([1, statistics._repeated(statistics.differences(), True)[1]])
"""


@dataclass
class Tree:
    """A checkout, its plugin, and a folder for what its runs write."""

    root: Path
    out: Path
    audits: list[str] = field(default_factory=list)

    def pytest(self, *args: str) -> list[str]:
        """Return a session of pytest with this tree's plugin, whatever plugin the environment has installed."""
        mine, installed = (_plugin(root) for root in (self.root, ROOT))
        loading = [] if mine == installed else ["-p", f"no:{installed[0]}", "-p", mine[1]]
        return ["-m", "pytest", *loading, "-q", "-p", "no:cacheprovider", *args]

    def demo(self) -> list[str]:
        """Return a run of the reference model, with its report."""
        return self.pytest(
            *self.audits, "--model=reference", f"--audit-limit={PATIENTS}", "--tb=no", "--audit-report=html",
            f"--audit-store={self.store}", f"--audit-out={self.out}",
        )  # fmt: skip

    def report(self, kind: str) -> list[str]:
        """Return the command that renders the demo's record once more."""
        return ["-m", "auditkit.cli", "report", f"{self.out}/evidence.json", f"--{kind}={self.out}/again.{kind}"]

    @property
    def store(self) -> Path:
        """The store of the demo's answers."""
        return self.out.with_suffix(".sqlite")

    def asked(self) -> Tree:
        """Return this tree with a record and all answers of the demo."""
        if not (self.out / "evidence.json").exists():
            self.run(self.demo())
        return self

    def forget(self) -> None:
        """Remove the store."""
        for path in self.out.parent.glob(f"{self.store.name}*"):
            path.unlink()

    def run(self, args: list[str], cwd: Path | None = None) -> tuple[float, str]:
        """Return the processor seconds of a command and what it printed."""
        env = os.environ | dict.fromkeys(THREADS, "1")
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # whoever installs a package has its modules compiled
        env |= {"PYTHONPATH": str(self.root), "AUDITKIT_SALT": "bench-bench-bench-bench-bench-bench"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, *args], cwd=cwd or self.root, env=env, capture_output=True, text=True, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 1):  # 1: an audit failed, which the reference model's do
            raise RuntimeError(f"{args} ended {done.returncode} in {self.root}:\n{done.stdout}\n{done.stderr}")
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main(arguments: list[str] | None = None) -> None:
    """Print medians in both trees, their ratio, and the lowest and highest ratio of a round."""
    parser = argparse.ArgumentParser(prog="python -m bench versions", description=__doc__)
    parser.add_argument("--against", metavar="COMMIT", default="HEAD~1", help="the other commit (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each command runs (default: %(default)s)")
    parser.add_argument("--only", metavar="WORD", nargs="+", help="only the commands with such a word in their name")
    asked = parser.parse_args(arguments or [])
    with tempfile.TemporaryDirectory() as name, _worktree(asked.against, Path(name) / "tree") as root:
        trees = Tree(root, Path(name) / "old"), Tree(ROOT, Path(name) / "new")
        _share_audits(trees)
        print(f"{_commit(ROOT)} against {_commit(root)}: {PATIENTS} patients, the same {len(trees[0].audits)} tests.\n")
        print(f"| command (n = {asked.rounds}, alternating) | there, s | here, s | ratio | of the rounds |")
        print("|---|---|---|---|---|", flush=True)
        bare = Path(name) / "bare"
        bare.mkdir()
        (bare / "test_one.py").write_text("def test_one():\n    pass\n", encoding="utf-8")
        (bare / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        for what, seconds in _commands(bare).items():
            if not asked.only or any(word in what for word in asked.only):
                _row(what, trees, seconds, asked.rounds)


def _commands(bare: Path) -> dict[str, Callable[[Tree], float]]:
    """Return what is compared: from a tree to its seconds, of a whole command or of a call or question in it."""

    def cold(tree: Tree) -> float:
        tree.forget()
        return tree.run(tree.demo())[0]

    def each(tree: Tree, code: str) -> float:
        count, seconds = (float(word) for word in re.findall(r"[\d.e-]+", tree.run(["-c", code])[1])[:2])
        return seconds / count

    return {
        "session without audits": lambda tree: tree.run(tree.pytest(), bare)[0],
        "collection": lambda tree: tree.run(tree.pytest(*tree.audits, "--collect-only"))[0],
        "demo, cold": cold,
        "demo, warm": lambda tree: tree.asked().run(tree.demo())[0],
        "report as HTML": lambda tree: tree.asked().run(tree.report("html"))[0],
        "report as PDF": lambda tree: tree.asked().run(tree.report("pdf"))[0],
        "engine, per question": lambda tree: each(tree, ENGINE),
        "verdicts of all conditions, per call": lambda tree: each(tree, VERDICT),
    }


def _row(what: str, trees: tuple[Tree, Tree], seconds: Callable[[Tree], float], rounds: int) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for i in (0, 1) if turn % 2 else (1, 0):
            taken = seconds(trees[i])
            if turn:  # the first time modules are compiled
                times[i].append(taken)
    there, here = (statistics.median(own) for own in times)
    ratios = [new / old for old, new in zip(*times, strict=True)]
    print(
        f"| {what} | {there:.4g} | {here:.4g} | {here / there:.2f} | {min(ratios):.2f} to {max(ratios):.2f} |",
        flush=True,
    )


def _share_audits(trees: tuple[Tree, Tree]) -> None:
    """Give both trees the test functions of audits that both have."""
    listed = [tree.run(tree.pytest("audits", "--collect-only"))[1].splitlines() for tree in trees]
    there, here = ({line.partition("[")[0] for line in lines if "::" in line} for lines in listed)
    for tree in trees:
        tree.audits = sorted(there & here)


def _plugin(root: Path) -> tuple[str, str]:
    """Return the name and the module of the plugin that a checkout declares."""
    found = PLUGIN.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise RuntimeError(f"{root}/pyproject.toml declares no plugin of pytest")
    return found.group(1), found.group(2)


@contextmanager
def _worktree(commit: str, path: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(path), commit], check=True)
    try:
        yield path
    finally:
        subprocess.run([*git, "remove", "--force", str(path)], check=True)


def _commit(root: Path) -> str:
    shown = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
