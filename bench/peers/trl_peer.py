#!/usr/bin/env python3
"""Advantages, losses and gradients of TRL's own RLOO and GRPO trainers, for comparison with ours (bench/trl-losses.mjs).

Set-up, in a folder outside the clone:
    python3 -m venv DIR && DIR/bin/pip install torch==2.11.0 trl==1.16.0
Run (bench/trl-losses.mjs does):
    DIR/bin/python bench/peers/trl_peer.py WORK

WORK/batch.json holds prompts, completions (equal groups, one after the other), rewards and the log-probs of the policy
that sampled; WORK/policy and WORK/reference are model folders. The trainers are TRL's; only their sampling is replaced by
the completions and their rewards by the rewards. Writes WORK/NAME.json and WORK/NAME.safetensors (gradients) per case.
"""
import json
import logging
import os
import pathlib
import sys
import warnings

os.environ.update(HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1", ACCELERATE_USE_CPU="true")
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import torch  # noqa: E402
import trl  # noqa: E402
from datasets import Dataset  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402


def make_trainer(work, batch, algorithm, settings):
    tokenizer = AutoTokenizer.from_pretrained(work / "policy")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    config, trainer = {"rloo": (trl.RLOOConfig, trl.RLOOTrainer), "grpo": (trl.GRPOConfig, trl.GRPOTrainer)}[algorithm]
    rewards = iter([batch["rewards"]])
    made = trainer(
        model=AutoModelForCausalLM.from_pretrained(work / "policy", dtype=torch.float32),
        reward_funcs=lambda completions, **_: next(rewards),
        args=config(
            output_dir=str(work / "trl"), report_to="none", use_cpu=True, bf16=False, gradient_checkpointing=False,
            per_device_train_batch_size=len(batch["rewards"]), num_generations=batch["samplesPerPrompt"],
            max_completion_length=batch["maxTokens"], temperature=batch["temperature"], **settings,
        ),
        train_dataset=Dataset.from_list([{"prompt": "?"}] * len(batch["rewards"])),
        processing_class=tokenizer,
    )
    if settings["beta"] != 0:
        reference = AutoModelForCausalLM.from_pretrained(work / "reference", dtype=torch.float32)
        made.ref_model.load_state_dict(reference.state_dict())
    prompts, completions = batch["prompts"], batch["completions"]
    sampled = (prompts, completions, [""] * len(completions))
    if algorithm == "grpo":  # no tool mask, no sampling log-probs, no extra fields, no images
        sampled = (prompts, completions, None, [""] * len(completions), None, {}, None, None)
    made._generate = lambda _: sampled
    return made


def padded(rows, width):
    return torch.tensor([row + [0.0] * (width - len(row)) for row in rows])


def run_case(work, batch, name, algorithm, settings):
    trainer = make_trainer(work, batch, algorithm, settings)
    trainer.model.train()
    inputs = trainer._generate_and_score_completions([{"prompt": "?"} for _ in batch["rewards"]])
    old = padded(batch["oldLogProbs"], inputs["completion_ids"].size(1))
    inputs["old_per_token_logps" if algorithm == "grpo" else "old_logps"] = old if algorithm == "grpo" else old.sum(1)
    trainer.current_gradient_accumulation_steps = 1
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    gradients = {key: value.grad.clone() for key, value in trainer.model.named_parameters()}
    save_file(gradients, work / f"{name}.safetensors")
    (work / f"{name}.json").write_text(json.dumps({"loss": loss.item(), "advantages": inputs["advantages"].tolist()}))


if __name__ == "__main__":
    work = pathlib.Path(sys.argv[1])
    batch = json.loads((work / "batch.json").read_text())
    torch.manual_seed(0)
    for case in batch["cases"]:
        run_case(work, batch, case["name"], case["algorithm"], case["trl"])
    print(json.dumps({"trl": trl.__version__, "torch": torch.__version__}))
