"""Writes the golden files with the reference library, into the folder given (default: here).

    pip install safetensors==0.8.0 numpy ml_dtypes
    python reference.py [FOLDER]

Bytes are a counter modulo 251, so that the Go test can make the same tensors without a generator.
"""

import json
import pathlib
import sys

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

NAMES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "I16": np.int16, "U16": np.uint16,
    "F16": np.float16, "BF16": ml_dtypes.bfloat16, "I32": np.int32, "U32": np.uint32,
    "F32": np.float32, "F64": np.float64, "I64": np.int64, "U64": np.uint64, "C64": np.complex64,
    "F8_E5M2": ml_dtypes.float8_e5m2, "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
}

CASES = {
    "empty": {},
    "scalar": {"step": ("I64", [])},
    "dtypes": {f"t.{name}": (name, [3, 2]) for name in NAMES},
    "order": {
        "b.weight": ("BF16", [2, 3]), "a.weight": ("BF16", [3]), "a.bias": ("F32", [1]),
        "z": ("F64", [2]), "B": ("F16", [5]), "count": ("I64", []), "mask": ("BOOL", [3]),
        "a.weight.2": ("BF16", [1]), "a.weight.10": ("BF16", [1]),
    },
    "zeros": {"none": ("F32", [0]), "some": ("F32", [2]), "no rows": ("BF16", [0, 7])},
    "names": {
        'quote " backslash \\ slash /': ("U8", [1]), "tab\tline\n\b\f\r bell\x07 del\x7f": ("U8", [1]),
        "Größe": ("U8", [2]), "テンソル": ("U8", [3]), "😀": ("U8", [1]), "<&>": ("U8", [1]), "": ("U8", [1]),
    },
}


def main(folder: pathlib.Path) -> None:
    listing = {}
    for case, tensors in CASES.items():
        arrays = {}
        for name, (dtype, shape) in tensors.items():
            dt = np.dtype(NAMES[dtype])
            n = int(np.prod(shape, dtype=np.int64)) * dt.itemsize
            raw = (np.arange(n) % 251).astype(np.uint8)
            if dtype == "BOOL":
                raw %= 2
            arrays[name] = raw.view(dt).reshape(shape)
        save_file(arrays, folder / f"{case}.safetensors", metadata={"format": "pt"})
        listing[case] = [{"name": n, "dtype": d, "shape": s} for n, (d, s) in tensors.items()]
    index = {"weight_map": {}, "metadata": {}}
    for n, name in enumerate(CASES["names"]):
        index["weight_map"][name] = f"model-{n + 1:05d}-of-{len(CASES['names']):05d}.safetensors"
    index["metadata"]["total_size"] = sum(shape[0] for _, shape in CASES["names"].values())
    # As transformers writes it.
    (folder / "index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
    (folder / "cases.json").write_text(json.dumps(listing, indent=1) + "\n")


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
