"""The comparison's transformers side: `generate`, and log-probs and a policy-gradient step as TRL computes them.

    python transformers_peer.py '{"task": "sample", "model": FOLDER, "batch": 8, "group": 4, "prompt": 32, "tokens": 32,
                                  "threads": 2, "dtype": "float32", "attention": "sdpa", "chunk": 8, "cache": "dynamic"}'

Reads "run" and "end" from standard input, a line each; answers each with a line of JSON. What is done in a run:

sample     model.generate with do_sample at temperature 1, no truncation and no end token, `chunk` sequences at a time.
           No log-probs: TRL computes them in a pass of its own, which is not counted here.
logprobs   `chunk` sequences at a time without gradients, logits of the response positions only, TRL's
           selective_log_softmax.
step       the same with gradients, loss -advantage * log-prob over the tokens of the batch, backward per chunk (the
           gradients add up), clip_grad_norm_ at 1, torch.optim.AdamW(fused=True), zero_grad(set_to_none=True). The
           weights, moments and gradients have the compute dtype; there is no float32 master.
"""

import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig


def peak_rss_mib() -> float:
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class Peer:
    def __init__(self, options: dict) -> None:
        torch.set_num_threads(options["threads"])
        self.options = options
        self.model = AutoModelForCausalLM.from_pretrained(
            options["model"], dtype=getattr(torch, options["dtype"]), attn_implementation=options["attention"]
        )
        self.model.train(options["task"] == "step")
        generator = torch.Generator().manual_seed(0)
        vocabulary = self.model.config.vocab_size
        prompts = torch.randint(vocabulary, (options["batch"] // options["group"], options["prompt"]), generator=generator)
        self.prompts = prompts.repeat_interleave(options["group"], 0)
        responses = torch.randint(vocabulary, (options["batch"], options["tokens"]), generator=generator)
        self.sequences = torch.cat([self.prompts, responses], 1)
        self.advantages = torch.ones(options["batch"])
        self.advantages[1::2] = -1
        if options["task"] != "sample":
            from trl.trainer.utils import selective_log_softmax

            self.selective_log_softmax = selective_log_softmax
        if options["task"] == "step":
            self.optimizer = torch.optim.AdamW(
                self.model.parameters(), lr=1e-6, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0, fused=True
            )

    def run(self) -> None:
        getattr(self, self.options["task"])()

    def chunks(self, rows: torch.Tensor):
        return rows.split(self.options["chunk"])

    def sample(self) -> None:
        options = self.options
        config = GenerationConfig(
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=options["tokens"],
            use_cache=True,
            cache_implementation="static" if options["cache"] == "static" else None,
            eos_token_id=None,
            pad_token_id=0,
        )
        with torch.inference_mode():
            for rows in self.chunks(self.prompts):
                out = self.model.generate(rows, attention_mask=torch.ones_like(rows), generation_config=config)
                assert out.shape[1] == options["prompt"] + options["tokens"]

    def log_probs(self, rows: torch.Tensor) -> torch.Tensor:
        kept = self.options["tokens"]
        logits = self.model(input_ids=rows, logits_to_keep=kept + 1, use_cache=False).logits[:, :-1]
        return self.selective_log_softmax(logits, rows[:, -kept:])

    def logprobs(self) -> None:
        with torch.inference_mode():
            for rows in self.chunks(self.sequences):
                self.log_probs(rows)

    def step(self) -> None:
        total = self.options["batch"] * self.options["tokens"]
        for rows, advantages in zip(self.chunks(self.sequences), self.chunks(self.advantages)):
            loss = -(advantages[:, None] * self.log_probs(rows)).sum() / total
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def main() -> None:
    transformers.logging.set_verbosity_error()
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print must not mix with the answers

    def answer(value: dict) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    peer = Peer(json.loads(sys.argv[1]))
    answer({"ready": f"transformers {transformers.__version__}, torch {torch.__version__}"})
    for line in sys.stdin:
        if line.strip() == "end":
            break
        start = time.perf_counter()
        peer.run()
        answer({"seconds": time.perf_counter() - start})
    answer({"peakRssMiB": peak_rss_mib()})


if __name__ == "__main__":
    main()
