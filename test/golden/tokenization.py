"""Golden data of src/policy/tokenizer.ts: Hugging Face `tokenizers` (Rust) against ours on 10,000 strings.

    python3 -m venv /tmp/venv-tokenizers && /tmp/venv-tokenizers/bin/pip install tokenizers==0.23.3
    /tmp/venv-tokenizers/bin/python test/golden/tokenization.py

Trains three small byte-level BPE tokenizers on text that this script makes up, with the pre-tokenizer rules of Qwen2, of
Llama 3 and of SmolLM, the last without tokens for control bytes, and writes
  test/fixtures/tokenizers/{qwen2,llama3,smollm}/tokenizer.json
  test/golden/data/tokenizers/strings.jsonl             one JSON string a line (ASCII, escaped)
  test/golden/data/tokenizers/{qwen2,llama3,smollm}.txt one line per string: three hashes, then the ids of the first 300
The hashes are the first six hex digits of the SHA-256 of: the ids joined by commas; decode(ids); decode of the ids
without the first and the last one, special tokens skipped (which cuts characters in two). Only code points that are
assigned in Unicode 14 occur, so that the answer does not depend on the Unicode tables of Node or of Python.
Everything is seeded: a second run writes the same bytes.
"""

import hashlib
import itertools
import json
import random
import unicodedata
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).resolve().parent
COUNT, FULL, VOCABULARY = 10_000, 300, 1_500
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

WORDS = (
    "the sum of and is we add carry digit so answer then next first second what plus minus times equals let us write "
    "down because there fore one two three four ten hundred check again right left number total apples Tom Anna has "
    "gives more than less I you they don't it's we're I've they'll he'd I'm can't Boxed solve equation x y z if"
).split()
FOREIGN = (
    "größe straße naïve café señor Ångström dvojník źdźbło ırmak İstanbul Ελλάδα λόγος Москва число ответ עברית שלום "
    "العربية مرحبا ١٢٣ हिन्दी नमस्ते ภาษาไทย 한국어 안녕하세요 日本語 こんにちは 数字の和 中文答案是 тест"
).split()
SYMBOLS = "+-*/=<>()[]{}.,:;!?\"'`~@#$%^&|\\_€£×÷≤≥≠√π∑∫∞°±→…—–“”‘’«»、。！？（）"
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "❤️", "1️⃣", "🧑🏿‍🚀", "🫠", "✨"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\u00a0", "\u3000", "\u2028", "\u2029", "\u0085", "\v", "\f", "\u200b", "\ufeff", " \t \n\n  ", "\u1680", "\u202f"]
CONTROL = [chr(c) for c in [*range(0x00, 0x09), *range(0x0E, 0x20), 0x7F, *range(0x80, 0xA0)]]
MARKS = ["\u0300", "\u0301", "\u0308", "\u0327", "\u0331", "\u0345", "\u20dd", "\u05b0", "\u064e", "\u093c", "\u0e31", "\u3099"]
CONTRACTIONS = ["'s", "'S", "'t", "'T", "'re", "'RE", "'rE", "'ve", "'m", "'M", "'ll", "'LL", "'d", "'D", "'\u017f", "'x", "'", "''s", "\u2019s", "'ſt", "'lL"]


def corpus(rng):
    for _ in range(6_000):
        a, b = rng.randrange(1000), rng.randrange(1000)
        words = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(3, 12)))
        yield f"What is {a} + {b}? {words.capitalize()}. {a} + {b} = {a + b}\nSo the answer is \\boxed{{{a + b}}}.\n\n"
        yield "    for i in range(%d):\n\tprint(x[%d], y)\r\n" % (a, b)
        yield " ".join(rng.choice(FOREIGN) for _ in range(4)) + rng.choice(EMOJI) + rng.choice(SPACES) + rng.choice(FOREIGN)


def assigned(rng):
    """One assigned code point that is neither a surrogate nor for private use, from a random plane or block."""
    low, high = rng.choice([(0x20, 0x7F), (0xA0, 0x250), (0x250, 0x900), (0x900, 0x2000), (0x2000, 0x3000), (0x3000, 0xD7A4), (0xF900, 0x10000), (0x10000, 0x1FB00), (0x20000, 0x2A000)])
    while True:
        character = chr(rng.randrange(low, high))
        if unicodedata.category(character) not in ("Cn", "Cs", "Co"):
            return character


def strings(rng, added):
    """The 10,000 test strings: pieces of every kind glued together in random order."""
    kinds = [
        lambda: rng.choice(WORDS),
        lambda: " " + rng.choice(WORDS),
        lambda: rng.choice(WORDS).upper() + rng.choice(CONTRACTIONS),
        lambda: rng.choice(CONTRACTIONS),
        lambda: str(rng.randrange(10 ** rng.randrange(1, 12))),
        lambda: "".join(rng.choice(SYMBOLS) for _ in range(rng.randrange(1, 6))),
        lambda: rng.choice(FOREIGN),
        lambda: rng.choice(EMOJI),
        lambda: rng.choice(SPACES),
        lambda: rng.choice(SPACES) * rng.randrange(1, 5),
        lambda: rng.choice(CONTROL),
        lambda: rng.choice("aeonAEON가ᄀ") + "".join(rng.choice(MARKS) for _ in range(rng.randrange(1, 4))),
        lambda: "".join(assigned(rng) for _ in range(rng.randrange(1, 5))),
        lambda: unicodedata.normalize("NFD", rng.choice(FOREIGN)),
        lambda: rng.choice(added),
        lambda: rng.choice(added)[:-1],
        lambda: rng.choice(WORDS) + rng.choice(added) + rng.choice(WORDS),
    ]
    fixed = ["", " ", "\n", "a", "\u0000", "\ufeff", "\ufeffa", "\ufffd", "e\u0301", "\u0301", *added, *EMOJI, *SPACES, *CONTRACTIONS, *CONTROL, "constructor __proto__ toString hasOwnProperty", "a" * 300, " " * 40, "7" * 50]
    yield from fixed
    for _ in range(COUNT - len(fixed)):
        yield "".join(rng.choice(kinds)() for _ in range(rng.randrange(1, 9)))


def smollm():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = {text for byte in [*range(0x09), *range(0x0E, 0x20), 0x7F] for text in byte_level(chr(byte))}
    alphabet = [text for text in pre_tokenizers.ByteLevel.alphabet() if text not in control]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(itertools.chain(corpus(random.Random(1)), ["$$ aa"] * 500), trainer)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True, normalized=False)])
    return tokenizer


def byte_level(text):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)[0][0]


def train(rule, normalizer, ignore_merges):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(rule), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus(random.Random(1)), trainer)
    return tokenizer


def qwen2():
    tokenizer = train(SPLIT % r"\p{N}", normalizers.NFC(), False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in ("<think>", "</think>", "<tool call>", "日本", "caf\u00e9")])
    tokenizer.add_tokens([AddedToken("e\u0301tape", special=False, normalized=True)])
    tokenizer.add_tokens([AddedToken("<strip>", special=False, normalized=False, lstrip=True, rstrip=True)])
    return tokenizer


def llama3():
    tokenizer = train(SPLIT % r"\p{N}{1,3}", None, True)
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|reserved_special_token_0|>"]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(
                single="<|begin_of_text|> $A",
                pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                special_tokens=[("<|begin_of_text|>", begin)],
            ),
        ]
    )
    return tokenizer


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def main():
    tokenizers = {"qwen2": qwen2(), "llama3": llama3(), "smollm": smollm()}
    added = []
    for name, tokenizer in tokenizers.items():
        folder = HERE.parent / "fixtures" / "tokenizers" / name
        folder.mkdir(parents=True, exist_ok=True)
        compact = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, separators=(",", ":"))
        (folder / "tokenizer.json").write_text(compact + "\n")
        # The texts are older than the third tokenizer, whose own token is in the first.
        if name != "smollm":
            added += [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    texts = list(strings(random.Random(2), added))
    assert len(texts) == COUNT
    data = HERE / "data" / "tokenizers"
    data.mkdir(parents=True, exist_ok=True)
    (data / "strings.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    for name, tokenizer in tokenizers.items():
        lines = []
        for index, text in enumerate(texts):
            ids = tokenizer.encode(text).ids
            joined = ",".join(map(str, ids))
            whole = tokenizer.decode(ids, skip_special_tokens=False)
            cut = tokenizer.decode(ids[1:-1], skip_special_tokens=True)
            line = f"{digest(joined)} {digest(whole)} {digest(cut)}"
            lines.append(f"{line} {joined}" if index < FULL else line)
        (data / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
