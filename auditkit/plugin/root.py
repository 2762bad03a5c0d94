"""Where pytest's root folder is: reports, answers and salt are made in it.

Imported in every pytest session, so it imports the standard library and pytest only.
"""

from __future__ import annotations

from pathlib import Path

import pytest


def moved(config: pytest.Config) -> str:
    """Say where the root folder is when it is not where the audits are; empty when it is.

    Where no file of settings stands, pytest takes the folder that holds all paths on its command line, and it reads the
    command line before it knows which words are values of a plugin's options.
    """
    root, here = config.rootpath, config.invocation_params.dir
    if config.option.rootdir:
        return ""
    paths = [Path(here, word.split("::")[0]) for word in config.args]
    inside = all(path.resolve().is_relative_to(root.resolve()) for path in paths if path.exists())
    if inside and (config.inipath is not None or root == here):
        return ""
    return (
        f"auditkit: pytest's root folder is {root}, not {here}: reports/ and .auditkit/ (answers, salt) are made "
        "there. Write a path behind its option with =, such as --audit-data=DIR, or put a pytest.ini beside the audits "
        "(`auditkit init` writes one)."
    )
