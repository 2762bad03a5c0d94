"""Tokenizers of tiny checkpoints: byte-level, so that any text can be encoded, and split as those they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from auditkit import perturbations, tasks
from auditkit.perturbations.words import closed

GRADES = ("good", "usable", "reject")
LETTERS = ("A", "B", "C", "D")
_SIZE = 1400
_OFTEN = 300
"""Repetitions that make a word one token whatever else is in the corpus."""


@dataclass(frozen=True)
class Vocabulary:
    """What a tokenizer has beside its words.

    Attributes
    ----------
    pad, end : str
        Tokens for padding and for the end of an answer.
    start : str or None
        The token that opens a text (bos); None where the true tokenizer has none.
    adds_start : bool
        Whether the tokenizer itself puts ``start`` before a text, as those of Llama and Gemma do.
    adds_end : bool
        Whether it puts ``end`` after a text, as those of dual encoders do.
    digits : bool
        Whether numbers are split into digits; else 0 to 100 are one token each.
    named : dict of str to str
        Special tokens that the processor asks the tokenizer for by name.
    others : tuple of str
        Further special tokens.
    """

    pad: str
    end: str
    start: str | None = None
    adds_start: bool = False
    adds_end: bool = False
    digits: bool = True
    named: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    def tokenizer(self, **settings: Any) -> Any:
        """Train the tokenizer on the catalogue's prompts (0.1 s) and return it for use with transformers.

        Parameters
        ----------
        **settings
            Passed on to ``PreTrainedTokenizerFast``, such as ``model_max_length``.
        """
        from tokenizers import AddedToken, Tokenizer, processors
        from transformers import PreTrainedTokenizerFast

        words = Tokenizer.from_str(_words(self.digits))
        names = [self.pad, self.end, self.start, *self.named.values(), *self.others]
        special = list(dict.fromkeys(name for name in names if name))
        words.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
        if self.adds_start or self.adds_end:
            around = [self.start] * self.adds_start + ["$A"] + [self.end] * self.adds_end
            words.post_processor = processors.TemplateProcessing(
                single=" ".join(str(name) for name in around),
                special_tokens=[(name, words.token_to_id(name)) for name in around if name and name != "$A"],
            )
        return PreTrainedTokenizerFast(
            tokenizer_object=words,
            pad_token=self.pad,
            eos_token=self.end,
            extra_special_tokens=self.named,
            clean_up_tokenization_spaces=False,
            **({"bos_token": self.start} if self.start else {}),
            **settings,
        )


@cache
def _words(digits: bool) -> str:
    """Train the words on everything that can be asked, and return the tokenizer as JSON."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    words = Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level]) if digits else level
    )
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_SIZE, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    words.train_from_iterator(_corpus(), trainer)
    text: str = words.to_str()
    return text


def _corpus() -> Iterator[str]:
    answers = [*GRADES, "yes", "no", *LETTERS, *map(str, range(101))]
    for word in answers:
        yield from [word] * _OFTEN
    for task in tasks.shipped().values():
        for wording in task.wordings.values():
            yield from [wording.system or "", closed(wording.text)]
    for marks in MARKERS.values():
        for word in marks:
            yield from [f"a {word}"] * _OFTEN
    yield from perturbations.placebos().values()
    for level in perturbations.levels().values():
        yield level.sentence


MARKERS = {
    "score_100": ("number",),
    "rating_5": ("N",),
    "grade": ("grade", "stamp"),
    "yes_no": ("yes",),
    "options": ("letter",),
}
"""Words of the shipped wordings by which the format asked for can be told; ``N`` outweighs ``number``."""
