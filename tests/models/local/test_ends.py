"""Where an answer ends, and what stands between its parts."""

from types import SimpleNamespace

import pytest

from auditkit.models.local.chat import decoded, end_tokens

WORDS = ["8", "5", "85", "fine", "40", "user"]
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
ADDED = ["<end_of_turn>", "<start_of_turn>", "[THINK]", "[/THINK]", "<image>"]


@pytest.fixture(scope="module")
def tokenizer():
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *WORDS])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    inner.decoder = tokenizers.decoders.Fuse()  # as byte-level tokenizers do: nothing between two tokens
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    made.add_tokens([tokenizers.AddedToken(token, special=True) for token in ADDED])
    return made


def processor(tokenizer, ending=""):
    def apply_chat_template(chat, **how):
        if ending is None:
            raise ValueError("no assistant in here")
        return "".join(f"<start_of_turn>{m['role']}\n{m['content'][0]['text']}{ending}\n" for m in chat)

    return SimpleNamespace(tokenizer=tokenizer, apply_chat_template=apply_chat_template)


def model(ends):
    return SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=ends))


@pytest.mark.parametrize(
    ("tokens", "text", "finish"),
    [
        (["85", "</s>"], "85", "stop"),
        (["85", "<end_of_turn>", "<start_of_turn>", "user", "40"], "85", "stop"),
        (["8", "5", "</s>"], "85", "stop"),
        (["8", "<image>", "5", "</s>"], "8 <image> 5", "stop"),
        (["8", "<pad>", "5"], "8  5", "length"),
        (["<s>", "85", "</s>"], "85", "stop"),
        (["[THINK]", "40", "[/THINK]", "85", "</s>"], "[THINK] 40 [/THINK] 85", "stop"),
        (["[THINK]", "40"], "[THINK] 40", "length"),
        (["</s>"], "", "stop"),
        ([], "", "length"),
    ],
)
def test_special_tokens_keep_apart_what_they_separate(tokenizer, tokens, text, finish):
    ends = frozenset(tokenizer.convert_tokens_to_ids(["</s>", "<end_of_turn>"]))
    found = decoded(processor(tokenizer), tokenizer.convert_tokens_to_ids(tokens), ends)
    assert (found.text, found.finish_reason) == (text, finish)


@pytest.mark.parametrize(
    ("ends", "ending", "expected"),
    [
        (2, "<end_of_turn>", ["</s>", "<end_of_turn>"]),
        ([2], "</s>", ["</s>"]),
        ([2], " <end_of_turn>", ["</s>", "<end_of_turn>"]),
        (None, "<end_of_turn>", ["<end_of_turn>"]),
        (2, "", ["</s>"]),
        (2, " user", ["</s>"]),
        (2, None, ["</s>"]),
        (None, "", []),
    ],
)
def test_what_the_template_puts_after_an_answer_ends_it(tokenizer, ends, ending, expected):
    found = end_tokens(model(ends), processor(tokenizer, ending))
    assert found == frozenset(tokenizer.convert_tokens_to_ids(expected))
