"""Text as an enemy would write it, and records that are full of it."""

from __future__ import annotations

from hypothesis import strategies as st

from auditkit.evidence import Evidence, PromptInfo, Reference
from tests.report.clauses.build import INTERVAL, audit, complete, group

HOSTILE = (
    "<script>alert(1)</script>", "]]>", "<!-- -->", "&lt;", "&#0;", "--- \n---\nmodel-index: []", "| a | b |",
    "[x](http://evil.example)", "![x](javascript:alert(1))", "http://evil.example", "www.evil.example", "<b>",
    "<div x", "<!--",
    "\n# head", "\n\n- item", "1. one", "2) two", "```\ncode", "~~~", "*a* _b_ `c`", "$$x$$",
    "\u202e", "\x00", "\ud800", "\uffff",
    "\u2028", "\x85", "\x7f", "\r", "\t", '"', "\\", "'", ": ", "{{ x }}", "%s", "@everyone", "===", "+", "-",
    "\\*a\\*", "1e-06", "yes", "null", "\U0001f600",
)  # fmt: skip
texts = st.lists(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(max_size=12),
        st.characters(codec=None, categories=["Cs", "Cc", "Cf", "Zl"]),
    ),
    min_size=1,
    max_size=4,
).map("".join)


def poisoned(text: str) -> Evidence:
    """Return a record in which every string that others write is `text`."""
    whole = complete()
    data = whole.data
    return complete(
        run=whole.run.model_copy(update={"id": text, "finished": text, "git": {"commit": text}}),
        model=whole.model.model_copy(
            update={"name": text, "revision": text, "family": text, "description": text, "limits": [text]}
        ),
        protocol=whole.protocol.model_copy(
            update={"criteria": {"intended_use": {"purpose": text, "users": text, "population": text}}}
        ),
        data=data.model_copy(
            update={
                "source": text,
                "notice": text,
                "sources": {text: 100},
                "licences": {text: 100},
                "sha256": text,
                "modalities": [data.modalities[0].model_copy(update={"modality": text})],
            }
        ),
        prompts=[PromptInfo(id="p", scorer=text, text=text)],
        audits=[
            audit("metadata", "FAIL", text, sentence=text, title=text, quantity=text, hazard=text),
            audit(
                text, "ERROR", sentence=text, title=text, unit=text, estimate=INTERVAL.model_copy(update={"unit": text})
            ),
            group("sex", text, sentence=text),
        ],
        references=[
            Reference(role="baseline", run=text, finished="", model=text, evidence_sha256="", problem=text),
        ],
        sentence=text,
        limits=[text],
    )
