"""Made-up models with known defects, to test audits with: an audit that finds nothing here would find nothing.

`simulate` runs a made-up model through audits in milliseconds; `plant` puts a defect into a model of your own, to be
audited by pytest like any other.
"""

from auditkit.testing.questions import Asked, Replies, Subjects
from auditkit.testing.readers import NOISES, Behaviour, FairReader, Noise
from auditkit.testing.saying import say
from auditkit.testing.simulate import audit_all, made_up_images, simulate

__all__ = [
    "NOISES",
    "Asked",
    "Behaviour",
    "FairReader",
    "Noise",
    "Replies",
    "Subjects",
    "audit_all",
    "made_up_images",
    "say",
    "simulate",
]
