"""The one exception that reaches users: a sentence that says what was wrong and how to put it right."""

from __future__ import annotations


class AuditkitError(Exception):
    """What was wrong, the values seen, and the option or line to type.

    Shown as it stands, without a traceback; pytest ends with exit code 4 (usage error) when it is raised before the
    audits start.

    Parameters
    ----------
    problem : str
        What is wrong, with the values that were seen.
    remedy : str, optional
        The option to change or the line to type.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}".strip())
