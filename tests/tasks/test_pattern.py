"""Expressions that are compiled when they are first used."""

import re
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

from auditkit import tasks
from auditkit.tasks.pattern import pattern


def declared():
    """The expressions at the top of the modules that read answers."""
    modules = [import_module(f"auditkit.tasks.{module.name}") for module in iter_modules(tasks.__path__)]
    kind = type(pattern(""))
    return {f"{m.__name__}.{n}": value for m in modules for n, value in vars(m).items() if isinstance(value, kind)}


def test_an_expression_reads_as_the_compiled_one_does():
    text, words = "One, two; THREE", r"[a-z]+"
    lazy, true = pattern(words, re.I), re.compile(words, re.I)
    for _ in range(2):  # the second use takes what the first one left
        assert lazy.findall(text) == true.findall(text) == ["One", "two", "THREE"]
        assert lazy.sub("x", text) == "x, x; x"
        assert lazy.match(text, 5)[0] == "two"
        assert lazy.fullmatch(text) is None
    assert (lazy.pattern, lazy.flags) == (words, true.flags)


def test_an_expression_that_is_none_fails_where_it_is_used():
    broken = pattern("(")
    with pytest.raises(re.error):
        broken.search("text")


def test_every_declared_expression_compiles():
    found = declared()
    assert len(found) > 70
    for expression in found.values():
        assert isinstance(expression.compiled, re.Pattern)


def test_collecting_audits_compiles_none_of_them():
    code = """
from importlib import import_module
from auditkit import shipped, tasks
from pkgutil import iter_modules
shipped.answers()
modules = [import_module(f"auditkit.tasks.{module.name}") for module in iter_modules(tasks.__path__)]
lazy = [value for m in modules for value in vars(m).values() if type(value).__name__ == "_Pattern"]
print(len(lazy) > 70, sum("compiled" in vars(value) for value in lazy))
tasks.shipped()["quality"].scorer.read("85", "stop", tasks.shipped()["quality"].wordings["direct"])
print(sum("compiled" in vars(value) for value in lazy) > 10)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "0", "True"]
