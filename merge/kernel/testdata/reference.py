"""Recomputes weighted sums, TIES and masks with numpy and ml_dtypes, to compare with package kernel.

    pip install numpy ml_dtypes
    python reference.py FOLDER

FOLDER/case.json describes the files beside it; each problem is printed, and "ok" if there is none.
"""

import hashlib
import json
import pathlib
import struct
import sys

import ml_dtypes
import numpy as np

DTYPES = {"BF16": ml_dtypes.bfloat16, "F16": np.float16, "F32": np.float32, "F64": np.float64}


def weighted(base, models, weights, out):
    """docs: w = f32(w); a = +0; a = f32(a + f32(w * f32(model - base))) where w != 0; RNE(base + a)."""
    wide = np.float64 if all(m.dtype == np.float64 for m in models) else np.float32
    a = np.zeros(len(models[0]), wide)
    used = False
    for model, w in zip(models, weights):
        w = wide(w)
        if w == 0:
            continue
        used = True
        x = model.astype(wide)
        if base is not None:
            x = x - base.astype(wide)
        a = a + w * x
    if base is not None:
        if not used:
            return base.astype(out)
        a = base.astype(wide) + a
    return a.astype(out)


def words(seed, names, start, n):
    text = struct.pack("<Q", seed)
    for name in names:
        text += struct.pack("<Q", len(name.encode())) + name.encode()
    k0, k1, h0, h1 = struct.unpack("<4I", hashlib.sha256(text).digest()[:16])
    got = []
    for index in range(start // 4, (start + n + 3) // 4):
        c, k = [index & 0xFFFFFFFF, index >> 32, h0, h1], [k0, k1]
        for _ in range(7):
            p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [q >> 32 ^ c[1] ^ k[0], q & 0xFFFFFFFF, p >> 32 ^ c[3] ^ k[1], p & 0xFFFFFFFF]
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        got += c
    return np.array(got[start % 4 :][:n], np.uint32)


def main(folder):
    case = json.loads((folder / "case.json").read_text())
    read = lambda name, dtype: np.fromfile(folder / name, DTYPES.get(dtype, np.uint32))
    fine = True
    for s in case["sums"]:
        base = read(s["base"], s["dtype"]) if s["base"] else None
        models = [read(m, s["dtype"]) for m in s["models"]]
        want = weighted(base, models, s["weights"], DTYPES[s["out"]])
        got = read(s["file"], s["out"])
        if want.tobytes() != got.tobytes():
            fine = False
            print(s["file"], "differs in", int((want.view(np.uint8) != got.view(np.uint8)).sum()), "bytes")
    r = case["words"]
    if (words(r["seed"], r["names"], r["start"], r["n"]) != read(r["file"], "")).any():
        fine = False
        print("the random words differ")
    if fine:
        print("ok")


np.seterr(over="ignore")
main(pathlib.Path(sys.argv[1]))
