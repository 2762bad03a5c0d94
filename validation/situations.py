"""The situations in which the gates are measured: every gate of a model by itself."""

from __future__ import annotations

from collections.abc import Callable

from scipy import stats

from auditkit import perturbations
from auditkit.measure.columns import ALL
from auditkit.protocol.effects import areas, change, departure, differs, falls, rises, share, steps, wordings
from auditkit.testing import NOISES, Behaviour, Noise
from auditkit.testing.readers import FIVES, STICKY
from auditkit.vocabulary import Effect, Perturbation, Question
from validation.models import CLEAN, Gaps, Jumping, Losing, Refusing, Shifting, Wavering, severity
from validation.rare import BySize, Jolting, Struck, scattering, share_of_jolted
from validation.setting import EFFECTS, FAMILY, LAYOUTS, TAIL, WORDS, Setting, Situation

SCATTER = {f"sd {sd:g}": scattering(sd) for sd in (2.0, 8.5, 12.0)}
"""Answers that scatter as those of many models do."""
KINDS_OF_NOISE = NOISES | SCATTER
BY_SIZE = " by size"
"""Ends the names of kinds in which only patients with a single image have the effect, and it is as much larger."""


def _equivalence(setting: Setting) -> Situation:
    """The mean alone: the tail is a gate of its own."""
    effect = -5.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=with_gaps(moving(setting, effect), setting, -1),
        effect=change(WORDS, name="words", family=FAMILY),
        family={"within": 5.0},
        value=lambda _: effect,
    )


def _pooled(setting: Setting) -> Situation:
    effect = -5.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=moving(setting, effect),
        effect=change(WORDS, name="words", family=FAMILY),
        family={"within": 5.0, "in_each": 10.0},
        modalities=("ct", "mr"),
        value=lambda _: effect,
        on_margin=lambda cell: cell.stratum.level == ALL,
    )


def _opposite(setting: Setting) -> Situation:
    by = {"ct": -10.0 * EFFECTS[setting.truth], "mr": 10.0 * EFFECTS[setting.truth], ALL: 0.0}
    return Situation(
        behaviour=Shifting(lambda q, m: by[m] if q.condition else 0.0, KINDS_OF_NOISE[setting.kind]),
        effect=change(WORDS, name="words", family=FAMILY),
        family={"within": 5.0, "in_each": 10.0},
        modalities=("ct", "mr"),
        value=lambda cell: by[cell.stratum.level],
        on_margin=lambda cell: cell.stratum.level != ALL,
    )


def _tail(setting: Setting) -> Situation:
    """Kinds are ``<what is compared> sd <noise>``; without an effect the model is fair, whatever its noise."""
    form, _, sd = setting.kind.partition(" sd ")
    effect, others = TAILS[form]
    excess = TAIL["share"] * EFFECTS[setting.truth]
    moved = effect.parts[0].treated[-1].condition

    def moves(question: Question) -> bool:
        return question.condition == moved

    patients = share_of_jolted(excess, float(sd), Jolting.jump, TAIL["beyond"], others)
    return Situation(
        behaviour=with_gaps(Jolting(moves, patients, float(sd)), setting, -1),
        effect=effect,
        # The mean change is 0 and its margin out of reach, so that the tail alone decides.
        family={"within": 25.0, "tail": TAIL},
        value=lambda _: 0.0,
        tail=excess,
    )


def _tails() -> dict[str, tuple[Effect, int]]:
    """The three comparisons that ship, each with the number of answers that one is held against."""
    alike = [Perturbation(name) for name in perturbations.placebos()]
    level = next(iter(perturbations.levels().values()))
    one, other = Perturbation(level.id), Perturbation(level.counterpart)
    return {
        "vs neutral": (departure(one, alike=alike, name="words", family=FAMILY), len(alike) - 1),
        "pair": (change(one, against=[other], alike=alike, name="words", family=FAMILY), 1),
        "vs no sentence": (change(alike[0], alike=alike[1:], name="words", family=FAMILY), 1),
    }


TAILS = _tails()


def _templates(setting: Setting) -> Situation:
    effect = -10.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=Shifting(lambda q, _m: effect if q.wording == "reader" else 0.0, KINDS_OF_NOISE[setting.kind]),
        effect=wordings("quality", ("direct", "reader"), name="two", family=FAMILY),
        family={"within": 10.0},
        value=lambda _: effect,
    )


def _not_raised(setting: Setting) -> Situation:
    effect = 5.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=with_gaps(moving(setting, effect), setting, 1),
        effect=rises("brightness", (5,), family=FAMILY),
        family={"at_most": 5.0},
        value=lambda _: effect,
        change=_figure(setting, lambda severity: effect if severity else 0.0),
    )


def _monotone(setting: Setting) -> Situation:
    effect = 5.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=moving(setting, effect),
        effect=steps("jpeg", (1,), family=FAMILY),
        family={"at_most": 5.0},
        value=lambda _: effect,
        change=_figure(setting, lambda severity: effect if severity else 0.0),
    )


def _sensitivity(setting: Setting) -> Situation:
    slope = -2.0 * {"inside": 2.0, "margin": 1.0, "outside": 0.0}[setting.truth]
    return Situation(
        behaviour=with_gaps(moving(setting, slope, growing=True), setting, 1),
        effect=falls("jpeg", family=FAMILY),
        family={"at_least": 2.0},
        value=lambda _: -slope,
        change=_figure(setting, lambda severity: slope * severity),
    )


AREAS = {"low": 0.70, "high": 0.92}
CLEAR = {"low": 0.90, "high": 0.98}
_SD = 7.0


def _discrimination(setting: Setting) -> Situation:
    """Kinds are ``<noise> <area>``; the floor is put on the area that the scores have, not the other way round."""
    name, _, area = setting.kind.partition(" ")
    noise = Noise(sd=_SD, levels={"fine": (), "discrete": FIVES, "sticky": STICKY}[name])
    base = 82.0 if name == "sticky" else 65.0
    wanted = {"inside": CLEAR[area], "margin": AREAS[area], "outside": 0.50}[setting.truth]
    shift = -float(stats.norm.ppf(wanted)) * 2.0 * _SD
    behaviour = Shifting(lambda q, _m: shift if severity(q) else 0.0, noise, base, between=_SD)
    truth = behaviour.auroc(shift)
    return Situation(
        behaviour=with_gaps(behaviour, setting, 1),
        effect=areas("jpeg", (5,), family=FAMILY),
        family={"at_least": truth if setting.truth == "margin" else AREAS[area], "required": ("severity 5",)},
        value=lambda _: truth,
        change=lambda severity: shift if severity else 0.0,
    )


def _rate(setting: Setting) -> Situation:
    """Kinds are ``<per cent> <independent or correlated>``."""
    cap, correlation = share_of(setting.kind)
    true = cap * EFFECTS[setting.truth]
    return Situation(
        behaviour=_by_size(setting, true, lambda p: Refusing(p, correlation)),
        effect=share("refused", name="direct-refused", family=FAMILY),
        family={"at_most": cap},
        value=lambda _: true,
    )


def _agreement(setting: Setting) -> Situation:
    cap, correlation = share_of(setting.kind)
    true = cap * EFFECTS[setting.truth]
    return Situation(
        behaviour=_by_size(setting, true, lambda p: Wavering(p, correlation)),
        effect=differs(Perturbation("again", 1), name="twice", family=FAMILY),
        family={"at_most": cap},
        value=lambda _: true,
    )


def _rate_difference(setting: Setting) -> Situation:
    """Kinds are ``<per cent> <one way or both ways>``; both ways: another 2 % are lost under the control only."""
    per_cent, _, way = setting.kind.removesuffix(BY_SIZE).partition(" ")
    margin, less = float(per_cent) / 100, 0.02 if way == "both ways" else 0.0
    difference = margin * EFFECTS[setting.truth]
    lost = share("lost", family=FAMILY)
    return Situation(
        behaviour=_by_size(setting, difference, lambda d: Losing(d + less, less)),
        effect=lost.under(WORDS).minus(lost).named("words"),
        family={"at_most": margin},
        value=lambda _: difference,
    )


def _figure(setting: Setting, change: Callable[[int], float]) -> Callable[[int], float] | None:
    """The points of the figure are drawn, and held against the truth, for some kinds: they take longest of all."""
    return change if setting.kind in ("discrete", "rare") else None


def share_of(kind: str) -> tuple[float, float]:
    """Return cap and correlation of a kind of share."""
    per_cent, _, how = kind.removesuffix(BY_SIZE).partition(" ")
    return float(per_cent) / 100, {"independent": 0.0, "correlated": 0.5}[how]


def moving(setting: Setting, effect: float, *, growing: bool = False) -> Behaviour:
    """Return a model whose score moves by the effect on average over patients (growing: per step of severity)."""
    kind = setting.kind.removesuffix(BY_SIZE)
    sizes = {"drops": (25.0, 75.0), "rare": (80.0, 80.0)}.get(kind)
    if sizes is not None:
        full = effect * 5 if growing else effect
        sign = -1.0 if full < 0 or setting.gate == "sensitivity" else 1.0
        return Jumping(abs(full) / (sum(sizes) / 2), (sign * sizes[0], sign * sizes[1]), growing)
    beside = _beside_noise(kind, effect, -1.0 if effect < 0 else 1.0)
    if beside is not None:
        return beside

    def shifting(by: float) -> Shifting:
        return Shifting(lambda q, _m: by * (severity(q) if growing else q.condition != CLEAN), KINDS_OF_NOISE[kind])

    return _by_size(setting, effect, shifting)


def _beside_noise(kind: str, effect: float, sign: float) -> Struck | None:
    """A few patients who are hit hard beside noise, the mean as given: ``jump 75``, ``against the rest``, ``inverted``.

    "against the rest" moves 5 % of the patients by 40 points the other way, "inverted" lets the score of 4 % rise from
    0 to 100 under a corruption that everybody else's falls with.
    """
    name, _, size = kind.partition(" ")
    if name == "jump":
        return Struck(abs(effect) / float(size), sign * float(size))
    if kind == "against the rest":
        return Struck(0.05, -sign * 40.0, (effect + sign * 2.0) / 0.95)
    if kind == "inverted":
        return Struck(0.04, 20.0, (effect - 0.04 * 20.0) / 0.96, growing=True)
    return None


def _by_size(setting: Setting, effect: float, model: Callable[[float], Behaviour]) -> Behaviour:
    """Return the model, or the one in which only patients with a single image have the effect, the mean the same."""
    if not setting.kind.endswith(BY_SIZE):
        return model(effect)
    counts = LAYOUTS[setting.layout]
    return BySize(model(effect * len(counts) / counts.count(1)), model(0.0))


def with_gaps(behaviour: Behaviour, setting: Setting, adverse: int) -> Behaviour:
    """Return a model that refuses what the setting says."""
    return behaviour if setting.missing == "none" else Gaps(behaviour, setting.missing, adverse)


ALONE: dict[str, Callable[[Setting], Situation]] = {
    "equivalence": _equivalence,
    "equivalence, pooled": _pooled,
    "equivalence, opposite": _opposite,
    "tail": _tail,
    "templates": _templates,
    "not raised": _not_raised,
    "monotone": _monotone,
    "sensitivity": _sensitivity,
    "discrimination": _discrimination,
    "rate": _rate,
    "rate difference": _rate_difference,
    "agreement": _agreement,
}
