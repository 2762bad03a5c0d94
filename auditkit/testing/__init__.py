"""Made-up models with known defects, to test audits with: an audit that finds nothing here would find nothing.

`simulate` runs a made-up model through audits in milliseconds; `plant` puts a defect into a model of your own, to be
audited by pytest like any other. `tiny_checkpoint` writes a checkpoint of a true architecture, to test what loads and
asks models.
"""

from auditkit.testing.checkpoints import ARCHITECTURES, tiny_checkpoint
from auditkit.testing.confident import AbstainsOn, Confident
from auditkit.testing.defects import (
    DEFECTS,
    BatchDependent,
    Bias,
    Constant,
    Defect,
    HidesChanges,
    Insensitive,
    Inverted,
    OutlierPatient,
    OutOfRange,
    Planted,
    ReadsLabel,
    ReadsPicture,
    Refuses,
    RefusesWorst,
    Silent,
    Squeezed,
    TemplateFragile,
    Threshold,
    Unsteady,
    at_times,
    cancelling,
)
from auditkit.testing.group_defects import Unequal
from auditkit.testing.labelled import (
    BaseRate,
    ByPosition,
    FollowsOpinion,
    IgnoresImage,
    Knowing,
    RefusesHard,
    WordingFragile,
)
from auditkit.testing.planting import PlantedModel, plant
from auditkit.testing.questions import Asked, Replies, Subjects
from auditkit.testing.readers import NOISES, Behaviour, FairReader, Noise
from auditkit.testing.saying import say
from auditkit.testing.simulate import audit_all, labelled_images, made_up_images, simulate
from auditkit.testing.truth import Truth

__all__ = [
    "ARCHITECTURES",
    "DEFECTS",
    "NOISES",
    "AbstainsOn",
    "Asked",
    "BaseRate",
    "BatchDependent",
    "Behaviour",
    "Bias",
    "ByPosition",
    "Confident",
    "Constant",
    "Defect",
    "FairReader",
    "FollowsOpinion",
    "HidesChanges",
    "IgnoresImage",
    "Insensitive",
    "Inverted",
    "Knowing",
    "Noise",
    "OutOfRange",
    "OutlierPatient",
    "Planted",
    "PlantedModel",
    "ReadsLabel",
    "ReadsPicture",
    "Refuses",
    "RefusesHard",
    "RefusesWorst",
    "Replies",
    "Silent",
    "Squeezed",
    "Subjects",
    "TemplateFragile",
    "Threshold",
    "Truth",
    "Unequal",
    "Unsteady",
    "WordingFragile",
    "at_times",
    "audit_all",
    "cancelling",
    "labelled_images",
    "made_up_images",
    "plant",
    "say",
    "simulate",
    "tiny_checkpoint",
]
