"""The effects that auditkit ships, listed from the catalogues: add an entry there and its audits exist.

Every function gives the same objects in the same order each time, so they can be used in ``parametrize`` and counted
when a family is corrected for multiplicity: the size of a family is what is declared here, never what was collected.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps

from auditkit import perturbations, tasks
from auditkit.protocol import effects
from auditkit.protocol.effects import (
    EMBEDDING,
    PER_STEP,
    areas,
    between,
    change,
    corruptions,
    departure,
    differs,
    displacement,
    falls,
    follows,
    mean,
    rises,
    share,
    wording_share,
    wordings,
)
from auditkit.protocol.right_answers import accuracy, balanced_accuracy, loss, recall, relies, skill
from auditkit.vocabulary import ATTRIBUTES, Effect, Part, Perturbation, Question, Value, summed

DIRECTIONS = ("brightness", "brightness_down", "contrast", "contrast_up")
MILDEST, MIDDLE, STRONGEST = 1, 3, 5
BLANKS = tuple(Perturbation(name) for name in ("black", "grey", "noise"))
EMPTY = (BLANKS[0], BLANKS[2])
NOTICED = ("gaussian_noise", "pixelate")
"""Corruptions that leave nothing to read at their strongest, and all at their mildest."""
SPEAKERS = ("authority", "majority")
MODALITY = "modality"
"""The task with a right answer that every source knows: what kind of image it is."""
REVERSED, AGAIN = Perturbation("options_reversed"), Perturbation("again", 1)


def _made_once(make: Callable[[], list[Effect]]) -> Callable[[], list[Effect]]:
    """Make the effects, which never change, when first asked, because every audit's correction counts its family."""
    made = cache(lambda: tuple(make()))

    @wraps(make)
    def listed() -> list[Effect]:
        return list(made())  # a list of the caller's own

    return listed


@_made_once
def sensitivity() -> list[Effect]:
    """Every corruption at rising severity, for the fall of the score."""
    return [falls(name, family="sensitivity") for name in corruptions()]


@_made_once
def discrimination() -> list[Effect]:
    """Every corruption at rising severity, for telling clean from corrupted."""
    return [areas(name, family="discrimination") for name in corruptions()]


@_made_once
def direction() -> list[Effect]:
    """Brightness and contrast, each both ways."""
    return [rises(name, family="direction") for name in DIRECTIONS]


@_made_once
def metadata() -> list[Effect]:
    """Every attribute level against its matched counterpart (once per pair) and against the neutral sentences."""
    found = []
    for level in perturbations.levels().values():
        name = f"{level.category}.{level.pair}-{level.side}-vs-"
        treated, alike = Perturbation(level.id), _neutral(level.placebo)
        if level.id < level.counterpart:
            other = level.counterpart
            side = other.rsplit(".", 1)[-1]
            found.append(
                change(treated, against=[Perturbation(other)], alike=alike, name=name + side, family="metadata")
            )
        found.append(departure(treated, alike=alike, name=f"{name}neutral", family="metadata"))
    return found


@_made_once
def placebo() -> list[Effect]:
    """Every neutral filler sentence against no sentence."""
    return [
        change(Perturbation(name), alike=[p for p in _neutral() if p.name != name], family="placebo")
        for name in perturbations.placebos()
    ]


def _neutral(first: str = "") -> list[Perturbation]:
    """The neutral sentences, the one of the same shape first."""
    return [Perturbation(name) for name in sorted(perturbations.placebos(), key=lambda name: name != first)]


@_made_once
def templates() -> list[Effect]:
    """Every wording of the task that asks for a number from 0 to 100."""
    return [wordings("quality", tuple(tasks.shipped()["quality"].wordings), family="templates")]


@_made_once
def answers() -> list[Effect]:
    """Every wording on clean images, for the share of refused and of otherwise unusable answers."""
    return [
        share(kind, task.id, wording=wording, family="answers")
        for task in tasks.shipped().values()
        for wording in task.wordings
        for kind in ("refused", "unusable")
    ]


@_made_once
def differential() -> list[Effect]:
    """Whether a condition changes the share of answers that cannot be used: strongest corruptions, attribute levels."""
    lost = share("lost", family="differential")
    corrupted = [Perturbation(name, STRONGEST) for name in corruptions()]
    worded = [
        lost.under(Perturbation(level.id)).minus(lost.under(Perturbation(level.placebo))).named(level.id)
        for level in perturbations.levels().values()
    ]
    return [lost.under(p).minus(lost).named(str(p)) for p in corrupted] + worded


@_made_once
def repeatability() -> list[Effect]:
    """The same question a second time, and alone instead of in a batch."""
    return [
        differs(Perturbation("again", 1), name="asked-twice", family="repeatability"),
        differs(Perturbation("alone"), name="alone-vs-batch", family="repeatability"),
    ]


@_made_once
def calibration() -> list[Effect]:
    """The score of clean and degraded images, read as the chance that an image is undamaged."""
    return [effects.calibration(family="calibration")]


@_made_once
def scoring() -> list[Effect]:
    """What the probabilities of the choices say beside what was written: of every wording, on clean images."""
    parts: dict[str, list[Part]] = {name: [] for name in ("agrees", "gap", "entropy", "mass", "read")}
    for task in tasks.shipped().values():
        for name in parts.keys() & tasks.of_probabilities(task).keys():
            questions = (Question(task.id, wording) for wording in task.wordings)
            parts[name] += [Part(question.words, ((1.0, Value(question, name)),)) for question in questions]
    return [Effect(name, "scoring", tuple(own)) for name, own in parts.items()]


@_made_once
def subgroups() -> list[Effect]:
    """Score, lost answers and mean fall of the score between the levels of every attribute."""
    told = {"": mean(), "-lost": share("lost"), "-falls": _mean_fall()}
    return [
        between(column, effect, name=column + suffix, family="subgroups")
        for column in ATTRIBUTES
        for suffix, effect in told.items()
    ]


def _mean_fall() -> Effect:
    """The fall per severity step, averaged over the corruptions that every item is asked about."""
    parts = [falls(e.name).parts[0] for e in perturbations.corruptions() if not e.modalities]
    terms = summed(term for part in parts for term in part.weighted(1 / len(parts)).terms)
    return Effect("mean-fall", "", (Part("", terms, unknown=0.0),), per=PER_STEP)


@_made_once
def embeddings() -> list[Effect]:
    """Every corruption, for how far it moves what the model holds inside, and whether the score follows."""
    kinds, alike = tasks.inside()[EMBEDDING].wordings, _neutral()
    return [
        effect
        for kind in kinds
        for name in corruptions()
        for effect in (
            displacement(kind, name, family="embeddings"),
            follows(kind, name, alike=alike, family="embeddings"),
        )
    ]


@_made_once
def looking() -> list[Effect]:
    """What is left of the score when nothing is left of the image."""
    return [relies(blank, family="looking") for blank in BLANKS]


@_made_once
def flags() -> list[Effect]:
    """Pictures that cannot be used, for the share of answers that say so: every wording that can is a part."""
    grades, yes_no = _wordings_of("grade"), _wordings_of("yes_no")
    worst = [Perturbation(name, STRONGEST) for name in NOTICED]
    return [_flagged(p, [*grades, *yes_no], "flags") for p in EMPTY] + [_flagged(p, yes_no, "flags") for p in worst]


@_made_once
def spared() -> list[Effect]:
    """The mildest corruptions, for the share of images that are flagged now and were not before."""
    asked = [words[0] for words in map(_wordings_of, ("grade", "yes_no"))]
    return [_flagged(Perturbation(name, MILDEST), asked, "spared", beside=True) for name in NOTICED]


def _wordings_of(task: str) -> list[Question]:
    return [Question(task, wording) for wording in tasks.shipped()[task].wordings]


def _flagged(done: Perturbation, asked: list[Question], family: str, *, beside: bool = False) -> Effect:
    parts = []
    for question in asked:
        clean = ((-1.0, Value(question, "flagged")),) if beside else ()
        parts.append(Part(question.words, ((1.0, Value(question.under(done), "flagged")), *clean)))
    return Effect(str(done), family, tuple(parts))


@_made_once
def burnt_in() -> list[Effect]:
    """A text in the picture against one that claims nothing, and against one that claims the opposite."""
    return _said("burnt_in", "burnt_in", ("neutral", "neutral_short"))


@_made_once
def authority() -> list[Effect]:
    """What others are said to have graded, against the same speaker saying nothing, and against the opposite."""
    return [effect for who in SPEAKERS for effect in _said(f"{who}.quality", "authority", ("neutral", "neutral"))]


def _said(prefix: str, family: str, placebos: tuple[str, str]) -> list[Effect]:
    excellent, poor, *others = (Perturbation(f"{prefix}.{side}") for side in ("excellent", "poor", *placebos))
    alike = _neutral() if family == "authority" else ()
    pairs = [(excellent, poor, "excellent-vs-poor")]
    pairs += [(excellent, others[0], "excellent-vs-neutral"), (poor, others[1], "poor-vs-neutral")]
    return [change(a, against=[b], alike=alike, name=f"{prefix}-{name}", family=family) for a, b, name in pairs]


@_made_once
def authority_answers() -> list[Effect]:
    """The right answer against a wrong one, each as what an expert is said to have answered: for right answers."""
    right = accuracy(MODALITY, family="authority_answers")
    true, wrong = (right.under(Perturbation(f"authority.answer.{side}")) for side in ("correct", "wrong"))
    return [true.minus(wrong).named("authority.answer-correct-vs-wrong")]


@_made_once
def statements() -> list[Effect]:
    """What words do whatever they state: statements, and the mere mention of a speaker, against no sentence at all."""
    graded = [f"{who}.quality.{side}" for who in SPEAKERS for side in ("excellent", "poor", "neutral")]
    answered = [Perturbation(f"authority.answer.{side}") for side in ("correct", "wrong", "neutral")]
    right = accuracy(MODALITY)
    made = [change(Perturbation(name), name=f"{name}-vs-nothing") for name in graded]
    made += [right.under(p).minus(right).named(f"{p}-vs-nothing") for p in answered]
    return [effect.named(effect.name, "statements") for effect in made]


@_made_once
def prompt() -> list[Effect]:
    """How much of the score is due to the wording, and how many answers to the order of the options."""
    asked = [task.id for task in tasks.shipped().values() if task.lettered and not task.id.endswith("_reversed")]
    among = tuple(tasks.shipped()["quality"].wordings)
    return [
        wording_share("quality", among, family="prompt"),
        *(differs(REVERSED, alike=[AGAIN], task=task, name=f"{task}-position", family="prompt") for task in asked),
        *(change(Perturbation(f"suffix.{word}"), name=f"suffix.{word}", family="prompt") for word in ("please", "now")),
    ]


@_made_once
def recognition() -> list[Effect]:
    """What kind of image it is, for how far the answers are from guessing."""
    return [skill(MODALITY, family="recognition")]


@_made_once
def recognition_accuracy() -> list[Effect]:
    """The same, for the share of right answers and the recall of every answer."""
    answers = tasks.shipped()[MODALITY].answers
    made = [recall(MODALITY, answer, name=f"{MODALITY}-recall-{answer.replace(' ', '-')}") for answer in answers]
    every = [accuracy(MODALITY), balanced_accuracy(MODALITY), *made]
    return [effect.named(effect.name, "recognition_accuracy") for effect in every]


@_made_once
def recognition_loss() -> list[Effect]:
    """Every corruption of ImageNet-C at middle severity, for the right answers that are lost under it."""
    names = corruptions("imagenet_c")
    return [loss(Perturbation(name, MIDDLE), task=MODALITY, name=name, family="recognition_loss") for name in names]


@_made_once
def recognition_looking() -> list[Effect]:
    """What is left of the right answers when the image is empty, or of another kind."""
    shown = (*EMPTY, Perturbation("other_modality"))
    return [relies(p, task=MODALITY, value="correct", family="recognition_looking") for p in shown]


@_made_once
def without_picture() -> list[Effect]:
    """What is said where no picture was sent."""
    nothing = Perturbation("missing")
    made = [
        share(value, task).under(nothing) for task, value in (("", "lost"), ("grade", "flagged"), ("yes_no", "flagged"))
    ]
    right = relies(nothing, task=MODALITY, value="correct", name=f"{MODALITY}-without-picture")
    return [
        effect.named(effect.name.replace("+missing", "-without-picture"), "without_picture")
        for effect in (*made, right)
    ]


SHIPPED: dict[str, Callable[[], list[Effect]]] = {
    "sensitivity": sensitivity,
    "discrimination": discrimination,
    "direction": direction,
    "metadata": metadata,
    "placebo": placebo,
    "templates": templates,
    "answers": answers,
    "differential": differential,
    "repeatability": repeatability,
    "calibration": calibration,
    "scoring": scoring,
    "subgroups": subgroups,
    "embeddings": embeddings,
    "looking": looking,
    "flags": flags,
    "spared": spared,
    "burnt_in": burnt_in,
    "authority": authority,
    "authority_answers": authority_answers,
    "statements": statements,
    "prompt": prompt,
    "recognition": recognition,
    "recognition_accuracy": recognition_accuracy,
    "recognition_loss": recognition_loss,
    "recognition_looking": recognition_looking,
    "without_picture": without_picture,
}
