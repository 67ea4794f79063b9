"""Deterministic model weights and the JSON helpers of the golden references.

No weights are committed: Python and TypeScript (test/support/fixture-model.ts) both compute them from
the tensor's Hugging Face name, a seed and the element's index, bit for bit the same in float32.

    key   = fnv1a32(name) ^ seed
    value = (mix(mix(index + 0x9E3779B9) ^ key) >> 12) / 2^19 - 1     20 bits in [-1, 1)
    norm weights: 1 + value / 4;  embeddings and lm_head: value / 2;  all others: value / 4

with mix the 32-bit finalizer of MurmurHash3. Twenty bits keep 1 + value / 4 exact in float32.
"""

import base64
import json
import pathlib

import numpy as np
import torch

DATA = pathlib.Path(__file__).parent / "data"


def fnv1a32(data: bytes) -> int:
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def mix(value: np.ndarray) -> np.ndarray:
    value = value ^ (value >> np.uint32(16))
    value = value * np.uint32(0x85EBCA6B)
    value = value ^ (value >> np.uint32(13))
    value = value * np.uint32(0xC2B2AE35)
    return value ^ (value >> np.uint32(16))


def fixture_values(name: str, count: int, seed: int) -> np.ndarray:
    """`count` float32 values of the tensor `name`, in row-major order."""
    key = np.uint32(fnv1a32(name.encode()) ^ seed)
    bits = mix(mix(np.arange(count, dtype=np.uint32) + np.uint32(0x9E3779B9)) ^ key) >> np.uint32(12)
    values = bits.astype(np.float32) / np.float32(2**19) - np.float32(1)
    if name.endswith("norm.weight"):
        return np.float32(1) + values * np.float32(0.25)
    scale = 0.5 if "embed_tokens" in name or "lm_head" in name else 0.25
    return values * np.float32(scale)


STORED_AS = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


def fixture_tensor(name: str, shape: tuple[int, ...], seed: int, storage: str = "F32") -> torch.Tensor:
    """The float32 tensor that a reader gets from a file that stores it as `storage`."""
    count = int(np.prod(shape))
    tensor = torch.from_numpy(fixture_values(name, count, seed)).reshape(shape)
    return tensor.to(STORED_AS[storage]).to(torch.float32)


def pack(values) -> str:
    """Little-endian float32 as base64."""
    if isinstance(values, torch.Tensor):
        values = values.detach().double().numpy()
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()


def tokens_of(generator: np.random.Generator, length: int, vocab_size: int) -> list[int]:
    """Random tokens; the first and the last id of the vocabulary always occur."""
    tokens = generator.integers(0, vocab_size, size=length).tolist()
    tokens[length // 2] = vocab_size - 1
    tokens[0] = 0
    return tokens


def write_json(file_name: str, content: dict) -> None:
    """One case a line, so that a change of one case shows as a change of one line."""
    head = {key: value for key, value in content.items() if key != "cases"}
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in content["cases"])
    opening = json.dumps(head, separators=(",", ":"))[:-1]
    path = DATA / file_name
    path.write_text(f'{opening},"cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
