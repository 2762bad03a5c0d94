"""The one exception that reaches users: a sentence that says what was wrong and how to put it right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from auditkit.masked import masked_text, shown


def of_the_system(error: OSError) -> AuditkitError:
    """Return the sentence for what the system refuses where no room has a better one: a full disk, an odd path."""
    named = f" {shown(str(error.filename))}" if error.filename else ""
    return AuditkitError(
        f"the system refuses{named}: {error.strerror or type(error).__name__}.",
        "Look at the path, its permissions and the space on its disk.",
    )


@contextmanager
def in_words() -> Iterator[None]:
    """Let what the system refuses end in the exception that reaches users."""
    try:
        yield
    except OSError as error:
        raise of_the_system(error) from None


class AuditkitError(Exception):
    """What was wrong, the values seen, and the option or line to type.

    Shown as it stands, without a traceback; pytest ends with exit code 4 (usage error) when it is raised before the
    audits start.

    Addresses in it are masked (`masked.masked_text`), whoever writes the sentence. What may hold blanks in its
    password, as options do, is masked before by `masked.masked_url`.

    Parameters
    ----------
    problem : str
        What is wrong, with the values that were seen.
    remedy : str, optional
        The option to change or the line to type.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = masked_text(problem)
        self.remedy = masked_text(remedy)
        super().__init__(f"{self.problem} {self.remedy}".strip())
