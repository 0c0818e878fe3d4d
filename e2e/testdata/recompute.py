"""An independent opinion on an export: recomputes every tensor from base, models and coefficients.

usage: recompute.py EXPORT.json BASE OUT NAME=MODEL...

The definition: w = f32(lambda * c), computed in f64; a = +0; for every model in order, skipping w = 0:
a = f32(a + f32(w * f32(theta_i - theta_0))); out = the nearest bfloat16 of f32(theta_0 + a), ties to even.
Where every w is 0 the bytes of the base are copied. And the file is what the reference library writes.
"""

import json
import sys

import ml_dtypes
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save


def raw(path):
    """Tensors by name, as bfloat16 arrays."""
    return load_file(path + "/model.safetensors")


def main():
    export, base, out, *models = sys.argv[1:]
    coefficients = json.load(open(export))["coefficients"]
    theta0 = raw(base)
    named = [m.split("=", 1) for m in models]
    assert {n for n, _ in named} == set(coefficients), (named, coefficients)
    thetas = [(np.float32(np.float64(1.0) * np.float64(coefficients[n])), raw(p)) for n, p in named]
    got = raw(out)
    assert got.keys() == theta0.keys(), (got.keys(), theta0.keys())
    elements = 0
    for name, t0 in theta0.items():
        assert t0.dtype == ml_dtypes.bfloat16, (name, t0.dtype)
        b = t0.astype(np.float32)
        a = np.zeros_like(b)
        for w, theta in thetas:
            if w != 0:
                a = (a + (w * (theta[name].astype(np.float32) - b)).astype(np.float32)).astype(np.float32)
        want = (b + a).astype(np.float32).astype(ml_dtypes.bfloat16)
        if all(w == 0 for w, _ in thetas):
            want = t0
        x, y = want.view(np.uint16), got[name].view(np.uint16)
        assert x.shape == y.shape, name
        wrong = np.flatnonzero(x.ravel() != y.ravel())
        assert wrong.size == 0, f"{name}: {wrong.size} of {x.size} differ, first at {wrong[0]}"
        elements += x.size
    path = out + "/model.safetensors"
    with safe_open(path, "np") as f:
        metadata = f.metadata()
    assert metadata == {"format": "pt"}, metadata
    reference = save(dict(got), metadata)
    mine = open(path, "rb").read()
    assert reference == mine, f"not the bytes of the reference library: {len(reference)} and {len(mine)}"
    print(f"{len(got)} tensors, {elements} elements, the same bits; the file, the same bytes")


main()
