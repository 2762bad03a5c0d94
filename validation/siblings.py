"""Two models held against each other in one run: how often a verdict on their difference errs.

`python -m validation.siblings` measures every row and prints the table that docs/validation.md has under "Two models".
It is no part of `python -m validation`: the procedure is that of means, which is measured there.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from auditkit.protocol.effects import behind, mean, share, versus
from auditkit.testing import Asked, Behaviour, Replies
from auditkit.vocabulary import MODEL, Effect
from validation.counting import verdicts_of
from validation.jobs import Job, seed
from validation.models import CLEAN, REFUSAL, Losing
from validation.setting import EFFECTS, FAMILY, WORDS, Missing, Setting, Situation, images, judged, protocol_of
from validation.situations import moving, with_gaps

LAYOUT = "1-4"
PATIENTS = (32, 64, 200)
KINDS = ("discrete", "sd 12", "discrete by size", "jump 100")
SHARES = {"5 one way": (0.05, 0.0), "10 both ways": (0.10, 0.02)}
"""Margin, and share of the answers that the other model alone loses."""
MISSING: tuple[Missing, ...] = ("worst", "best", "random")
UNHARMED = (("alike (within)", "discrete"), ("no worse (at_most)", "discrete"), ("no worse (at_most)", "sd 12"))
REPLICATES = 1000


@dataclass(frozen=True)
class Two:
    """Two models of which one is the other, changed: the audited one answers as a made-up model does under a change.

    Attributes
    ----------
    inner : Behaviour
        Who answers; the other is asked without the change.
    both : float
        Share of the images that both refuse, the same ones.
    """

    inner: Behaviour
    both: float = 0.0

    def answer(self, asked: Asked) -> Replies:
        """Return the replies of the model that is asked."""
        condition = (WORDS,) if asked.question.role == MODEL else CLEAN
        plain = replace(asked, question=replace(asked.question, role=MODEL, condition=condition))
        replies = self.inner.answer(plain)
        if not self.both:
            return replies
        clean = replace(asked, question=replace(asked.question, role=MODEL, condition=CLEAN))
        return replies.where(clean.draw("refused by both").random(len(asked.subjects)) < self.both, REFUSAL)


def _alike(setting: Setting) -> Situation:
    """Equivalence: the difference stays within the limit to either side; the truth is at the lower end."""
    return _means(setting, versus(mean(), family=FAMILY), {"within": 5.0}, -1)


def _no_worse(setting: Setting) -> Situation:
    """Non-inferiority: the audited model lies at most so far behind."""
    return _means(setting, behind(mean(), family=FAMILY), {"at_most": 5.0}, -1)


def _better(setting: Setting) -> Situation:
    """Superiority by a margin: at twice it the audited model is twice as far ahead."""
    return _means(setting, versus(mean(), family=FAMILY), {"at_least": 5.0}, 1)


def _means(setting: Setting, effect: Effect, family: dict[str, float], sign: int) -> Situation:
    by = 5.0 * sign * EFFECTS[setting.truth]
    both = 0.05 if setting.missing == "random" else 0.0
    inner = moving(setting, by)
    if setting.missing in ("worst", "best"):
        inner = with_gaps(inner, setting, -1 if sign < 0 else 1)
    return Situation(behaviour=Two(inner, both), effect=effect, family=family, value=lambda _: abs(by))


def _lost(setting: Setting) -> Situation:
    """How many more answers the audited model loses than the other, a share."""
    margin, less = SHARES[setting.kind]
    more = margin * EFFECTS[setting.truth] + less
    effect = versus(share("lost", "quality"), family=FAMILY)
    return Situation(Two(Losing(more, less)), effect, {"at_most": margin}, lambda _: more - less)


GATES: dict[str, tuple[Callable[[Setting], Situation], Sequence[str]]] = {
    "alike (within)": (_alike, KINDS),
    "no worse (at_most)": (_no_worse, KINDS),
    "better (at_least)": (_better, ("sd 12",)),
    "more lost (at_most)": (_lost, tuple(SHARES)),
}


def settings() -> Iterator[Setting]:
    """Yield every row: on the margin, and with answers missing there; then where nothing is wrong."""
    for gate, (_, kinds) in GATES.items():
        yield from (Setting(gate, kind, LAYOUT, n) for kind, n in product(kinds, PATIENTS))
    for missing, n in product(MISSING, PATIENTS):
        yield Setting("no worse (at_most)", "sd 12", LAYOUT, n, "margin", missing)
    for gate, kind in UNHARMED:
        yield from (Setting(gate, kind, LAYOUT, n, "inside") for n in PATIENTS)


def measured(setting: Setting, replicates: int) -> Counter[str]:
    """Count the verdicts of one row; every answer goes as a text through the reader, the measure and the judge."""
    what = GATES[setting.gate][0](setting)
    protocol = protocol_of(what, Job("siblings", str(setting), 0, replicates).protocol_seed())
    records = images(setting.layout, setting.patients, what.modalities)
    counts: Counter[str] = Counter()
    for replicate in range(replicates):
        counts.update(
            verdicts_of(judged(what, records, protocol, seed("siblings", str(setting), str(replicate))), what)
        )
    return counts


def line(setting: Setting, counts: Counter[str], replicates: int) -> str:
    """Return a row of the table."""
    passed, failed = counts["audit PASS"] / replicates, counts["any FAIL"] / replicates
    missing = {"none": "", "random": "5 % by both", "worst": "5 %, the worst", "best": "5 %, the best"}[setting.missing]
    where = {"margin": "on it", "inside": "no difference", "outside": "twice"}[setting.truth]
    return (
        f"| {setting.gate} | {setting.kind} | {missing} | {where} | {setting.patients} | {passed:.3f} | {failed:.3f} |"
    )


def main() -> None:
    """Measure all rows, or every so many for a look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--only", default="", help="rows whose gate begins so")
    options = parser.parse_args()
    print("| gate | kind | missing | truth | patients | PASS | FAIL |\n|---|---|---|---|---|---|---|", flush=True)
    for setting in settings():
        if setting.gate.startswith(options.only):
            print(line(setting, measured(setting, options.replicates), options.replicates), flush=True)


if __name__ == "__main__":
    main()
