"""Tokenizer, chat template and processor of the reference model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlavaProcessor, PreTrainedTokenizerFast, SiglipImageProcessorPil

from tools.reference import wording
from tools.reference.architecture import PATCH
from tools.reference.context import neutral_sentence
from tools.reference.questions import FORMS, LETTERS, Facts, ask
from tools.reference.samples import INPUT_SIZE

VOCABULARY: Final = 1600
SYSTEM, USER, ASSISTANT = "<|system|>", "<|user|>", "<|assistant|>"
_SPECIAL: Final = ("<pad>", "<s>", "</s>", "<image>", SYSTEM, USER, ASSISTANT)

# Images come before the text of their turn wherever they stand in the message, so that everything up to the first
# word is the same for all questions about one image and can be shared.
CHAT_TEMPLATE: Final = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] if c['type'] == 'image' %}{{ '<image>' }}{% endfor %}"
    "{% for c in m['content'] if c['type'] == 'text' %}{{ c['text'] }}{% endfor %}"
    "{% endif %}{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def _corpus(seed: int) -> Iterator[str]:
    """Text to learn merges from: training questions, and each number and letter often enough to be one token."""
    rng = random.Random(seed)
    kinds, modalities, forms = list(wording.KIND_NAMES), list(wording.MODALITY_NAMES), list(FORMS)
    for _ in range(9000):
        facts = Facts(rng.choice(modalities), rng.choice(kinds), rng.uniform(8, 95))
        exchange = ask(facts, rng, rng.choice(forms))
        yield exchange.question
        yield exchange.answer
        yield neutral_sentence(rng)
    for number in range(101):
        yield from [str(number)] * 200
    for word in (*LETTERS, "yes", "no", "good", "usable", "reject"):
        yield from [word] * 200


def build_tokenizer(seed: int) -> Any:
    """A byte-level BPE tokenizer: any text can be encoded, the numbers 0 to 100 are single tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(seed), trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",  # noqa: S106 - a token of text, not a secret
        eos_token="</s>",  # noqa: S106
        pad_token="<pad>",  # noqa: S106
        extra_special_tokens={"image_token": "<image>"},
        padding_side="left",
    )
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped


def build_processor(tokenizer: Any) -> Any:
    """The processor: bicubic resize to the square, scale to [-1, 1], 64 image tokens."""
    return LlavaProcessor(
        image_processor=SiglipImageProcessorPil(size={"height": INPUT_SIZE, "width": INPUT_SIZE}),
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=0,
        chat_template=CHAT_TEMPLATE,
    )
