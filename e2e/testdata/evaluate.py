"""A small evaluator: how far the merged model is from each of the models it was made of.

usage: evaluate.py MODEL OUT SPLIT NAME=MODEL...; reports one loss a name into OUT.
"""

import json
import sys

import ml_dtypes  # noqa: F401: numpy knows bfloat16 from it
import numpy as np
from safetensors.numpy import load_file

model, out, split, *experts = sys.argv[1:]


def flat(path):
    tensors = load_file(path + "/model.safetensors")
    return np.concatenate([tensors[k].astype(np.float32).ravel() for k in sorted(tensors)])


merged = flat(model)
report = {}
for i, expert in enumerate(experts):
    name, path = expert.split("=", 1)
    print(f"PARFAIT_PROGRESS {i}/{len(experts)} {name}", flush=True)
    distance = float(np.mean((merged - flat(path)) ** 2))
    report[name] = {"value": 1000 * distance + 0.01 + (0.001 if split == "test" else 0)}
with open(out, "w") as f:
    json.dump(report, f)
