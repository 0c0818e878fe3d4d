"""Recomputes merges with numpy and ml_dtypes and compares them bit for bit.

usage: python recompute.py CASES.json
Each case: {"base": dir, "models": [[name, dir], ...], "out": dir, "method": str,
"c": [floats], "params": {...}, "seed": int}. Prints what differs; exits 1 if anything does.
Written from the formulas in docs/methods.md; shares no code with the program.
"""

import hashlib
import json
import math
import sys

import ml_dtypes
import numpy as np

DTYPES = {"BF16": ml_dtypes.bfloat16, "F16": np.float16, "F32": np.float32, "F64": np.float64}


def load(folder):
    with open(folder + "/model.safetensors", "rb") as f:
        raw = f.read()
    n = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + n])
    header.pop("__metadata__", None)
    out = {}
    for name, h in header.items():
        lo, hi = h["data_offsets"]
        data = raw[8 + n + lo : 8 + n + hi]
        out[name] = (h["dtype"], h["shape"], data)
    return out


def numbers(tensor, real):
    dtype, _, data = tensor
    return np.frombuffer(data, DTYPES[dtype]).astype(real)


def encode(x, dtype):
    """One rounding, to nearest, ties to even; numpy and ml_dtypes round float64 through float32, so
    that what is in float64 is rounded to odd first."""
    if dtype in ("BF16", "F16") and x.dtype == np.float64:
        with np.errstate(over="ignore"):
            y = x.astype(np.float32)
        bits = y.view(np.uint32).copy()
        bits[np.abs(y.astype(np.float64)) > np.abs(x)] -= 1
        bits[y.astype(np.float64) != x] |= 1
        x = bits.view(np.float32)
    return x.astype(DTYPES[dtype]).tobytes()


def words(seed, model, tensor, n):
    b = seed.to_bytes(8, "little")
    for name in (model, tensor):
        e = name.encode()
        b += len(e).to_bytes(8, "little") + e
    w = np.frombuffer(hashlib.sha256(b).digest()[:16], "<u4").astype(np.uint64)
    blocks = (n + 3) // 4
    i = np.arange(blocks, dtype=np.uint64)
    low = np.uint64(0xFFFFFFFF)
    c = [i & low, i >> np.uint64(32), np.full(blocks, w[2]), np.full(blocks, w[3])]
    k0, k1 = int(w[0]), int(w[1])
    for _ in range(7):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low,
            (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1).reshape(-1)[:n].astype(np.float64) / 2**32


def trim(d, first, last):
    order = np.argsort(-np.abs(d), kind="stable")
    out = np.zeros_like(d)
    keep = order[first:last]
    out[keep] = d[keep]
    return out


def sparse(case, method, d, name, model, shape):
    n, p = len(d), case["params"]
    share = lambda x: max(1, math.ceil(x * n))
    if method == "ties":
        return trim(d, 0, share(p["density"]))
    if method.startswith("breadcrumbs"):
        first = int(p["gamma"] * n)
        return trim(d, first, first + share(p["density"]))
    if method.startswith("dare"):
        u = words(case["seed"], model, name, n)
        return np.where(u < p["density"], d / d.dtype.type(p["density"]), d.dtype.type(0))
    if method.startswith("della"):
        u, row = words(case["seed"], model, name, n), shape[-1] if shape else 1
        out = np.zeros_like(d)
        for lo in range(0, n, row):
            part = d[lo : lo + row]
            order = np.argsort(-np.abs(part), kind="stable")
            for place, e in enumerate(order):
                q = p["density"]
                if row > 1:
                    q += p["epsilon"] * (2 * (row - 1 - place) / (row - 1) - 1)
                q = min(max(q, 0.0), 1.0)
                if u[lo + e] < q:
                    out[lo + e] = part[e] / d.dtype.type(q)
        return out
    return d


def merged(case, name, base, models, real, shape):
    method, c, p = case["method"], case["c"], case["params"]
    if method == "linear":
        a = np.zeros(len(models[0]), real)
        for ci, m in zip(c, models):
            w = real(ci / sum(c))
            if w != 0:
                a = a + w * m
        return a
    lam, elect = p.get("lambda", 1.0), method in ("ties", "dare_ties", "della", "breadcrumbs_ties")
    used = [i for i in range(len(c)) if np.float32(lam * c[i]) != 0]
    if not used:
        return base
    ds = {i: sparse(case, method, models[i] - base, name, case["models"][i][0], shape) for i in used}
    sign = np.zeros(len(base), real)
    for i in used:
        sign = sign + real(c[i]) * ds[i]
    negative = sign < 0
    a, total = np.zeros(len(base), real), np.zeros(len(base), real)
    for i in used:
        on = ds[i] != 0
        if elect:
            on &= (np.signbit(ds[i]) ^ (c[i] < 0)) == negative
        a = np.where(on, a + real(lam * c[i]) * ds[i], a)
        total = np.where(on, total + real(c[i]), total)
    if p.get("normalize"):
        a = np.where(np.abs(total) < 1e-8, a, a / np.where(np.abs(total) < 1e-8, 1, total).astype(real))
    return base + a


def main():
    bad = 0
    cases = json.load(open(sys.argv[1]))
    for case in cases:
        base, out = load(case["base"]), load(case["out"])
        models = [load(m[1]) for m in case["models"]]
        for name, (dtype, shape, data) in base.items():
            want = data
            if dtype in DTYPES:
                real = np.float64 if dtype == "F64" else np.float32
                x = merged(case, name, numbers(base[name], real), [numbers(m[name], real) for m in models], real, shape)
                used = any(np.float32(case["params"].get("lambda", 1.0) * c) != 0 for c in case["c"])
                if used or out[name][0] != dtype:
                    want = encode(x, out[name][0])
            if out[name][2] != want:
                a, b = np.frombuffer(out[name][2], np.uint8), np.frombuffer(want, np.uint8)
                n = int((a != b).sum()) if len(a) == len(b) else -1
                print(f"{case['method']} {dtype}->{out[name][0]} {name}: {n} bytes of {len(want)} differ")
                bad += 1
    print(f"{len(cases)} merges, {bad} tensors differ")
    sys.exit(1 if bad else 0)


main()
