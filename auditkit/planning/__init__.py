"""How many patients do the audits of a protocol take? From an assumed spread, or from the record of a pilot run.

An audit passes when everything it asks for is shown: in every modality, in every part it requires, and where a tail is
declared also that few patients jump. Each of these is a claim. Claims that must all hold together get a larger power
each (`auditkit.stats.planning.cells_power`), which is enough whatever the dependence between them.
"""

from auditkit.planning.assumed import Assumed, plan_from_sd, with_margin
from auditkit.planning.pilot import plan_from_pilot
from auditkit.planning.result import EACH, Need, SampleSize, Total, Where
from auditkit.planning.right import AssumedRight, plan_right, right_text
from auditkit.planning.text import as_text

__all__ = [
    "EACH",
    "Assumed",
    "AssumedRight",
    "Need",
    "SampleSize",
    "Total",
    "Where",
    "as_text",
    "plan_from_pilot",
    "plan_from_sd",
    "plan_right",
    "right_text",
    "with_margin",
]
