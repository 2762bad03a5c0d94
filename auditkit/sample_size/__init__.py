"""How many patients do the audits of a protocol take? From an assumed spread, or from the record of a pilot run.

An audit passes when everything it asks for is shown: in every modality, at every severity it requires, and for
equivalence also that few patients jump. Each of these is a claim. Claims that must all hold together get a larger
power each (`auditkit.stats.planning.cells_power`), which is enough whatever the dependence between them.
"""

from auditkit.sample_size.assumed import Assumed, plan_from_sd, with_margin
from auditkit.sample_size.pilot import own_protocol, plan_from_pilot
from auditkit.sample_size.result import EACH, Need, SampleSize, Total
from auditkit.sample_size.text import as_text

__all__ = [
    "EACH",
    "Assumed",
    "Need",
    "SampleSize",
    "Total",
    "as_text",
    "own_protocol",
    "plan_from_pilot",
    "plan_from_sd",
    "with_margin",
]
