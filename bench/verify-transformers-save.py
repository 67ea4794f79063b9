"""Checks a saved model folder with transformers: does it load, and does it give the log-probs that zero-rl gave?

    python -m venv venv && venv/bin/pip install torch==2.11.0 transformers==5.23.0
    npx zero-rl logprobs --model DIR --input seqs.jsonl --output out.jsonl
    venv/bin/python bench/verify-transformers-save.py --model DIR --input seqs.jsonl --logprobs out.jsonl

`seqs.jsonl` has {id, tokens, promptLength} a line, `out.jsonl` {id, logProbs}. With --write N it makes an input of N
random sequences instead. Prints the largest and the mean difference in nats; exit status 1 beyond --tolerance.
"""

import argparse
import json
import pathlib
import random
import sys

import torch
import transformers


def read_lines(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def write_input(path: pathlib.Path, count: int, config) -> None:
    generator = random.Random(0)
    longest = min(128, config.max_position_embeddings)
    lines = []
    for number in range(count):
        length = generator.randint(2, longest)
        tokens = [generator.randrange(config.vocab_size) for _ in range(length)]
        lines.append(json.dumps({"id": number, "tokens": tokens, "promptLength": generator.randint(1, length - 1)}))
    path.write_text("\n".join(lines) + "\n")
    print(f"{count} sequences written to {path}")


def log_probs(model, tokens: list[int], prompt_length: int) -> torch.Tensor:
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, prompt_length - 1 : -1].double()
    return logits.log_softmax(-1).gather(1, torch.tensor(tokens[prompt_length:])[:, None])[:, 0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--input", type=pathlib.Path, required=True)
    parser.add_argument("--logprobs", type=pathlib.Path)
    parser.add_argument("--write", type=int, metavar="N")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    if arguments.write is not None:
        write_input(arguments.input, arguments.write, transformers.AutoConfig.from_pretrained(arguments.model))
        return 0
    if arguments.logprobs is None:
        parser.error("--logprobs is needed (or --write N)")
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        arguments.model, dtype=torch.float32, output_loading_info=True
    )
    unexpected = {key: sorted(value) for key, value in info.items() if value}
    scored = {line["id"]: line["logProbs"] for line in read_lines(arguments.logprobs)}
    differences = []
    for sequence in read_lines(arguments.input):
        expected = log_probs(model.eval(), sequence["tokens"], sequence["promptLength"])
        actual = torch.tensor(scored[sequence["id"]], dtype=torch.float64)
        assert actual.shape == expected.shape, f"sequence {sequence['id']}: {actual.shape} against {expected.shape}"
        differences.append((actual - expected).abs())
    together = torch.cat(differences)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, {model.config.model_type}")
    print(f"keys that did not match: {unexpected or 'none'}")
    print(f"{len(differences)} sequences, {together.numel()} log-probs: max |diff| {together.max():.2e}, mean {together.mean():.2e}")
    return 0 if together.max() <= arguments.tolerance and not unexpected else 1


if __name__ == "__main__":
    sys.exit(main())
