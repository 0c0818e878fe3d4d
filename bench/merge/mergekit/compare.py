#!/usr/bin/env python3
"""Merges the same files with mergekit and with parfait: time, memory, and the results compared.

usage: python bench/merge/mergekit/compare.py [--mib 512] [--methods linear,ties] [--repeat 3]
                                              [--venv DIR] [--parfait BINARY] [--dir DIR] [--json]

Makes a virtual environment (--venv, kept between runs) with mergekit from PyPI, builds parfait unless
--parfait names it, and makes a base and two models in the layout of a small Llama in bf16. Every merge
is a process of its own, in turns; the best time counts, and the largest resident memory. Both start
from the same mergekit configuration: parfait imports it. Tensors are compared as float32; "differ" is
the share of elements that are not the same bits; the largest difference is given as a share of the root
mean square of its tensor (a rounding of bf16 is up to 1/256 of the element itself).

Randomised methods draw other masks (see docs/mergekit.md), so that only their time can be compared.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

MERGEKIT = "mergekit==0.1.5"
ROOT = pathlib.Path(__file__).resolve().parents[3]

CONFIGS = {
    "linear": "merge_method: linear\nmodels:\n  - {model: @a, parameters: {weight: 0.3}}\n  - {model: @b, parameters: {weight: 0.7}}\n",
    "task_arithmetic": "merge_method: task_arithmetic\nbase_model: @base\nmodels:\n  - {model: @a, parameters: {weight: 0.4}}\n  - {model: @b, parameters: {weight: 0.5}}\n",
    "ties": "merge_method: ties\nbase_model: @base\nmodels:\n  - {model: @a, parameters: {weight: 0.4, density: 0.2}}\n  - {model: @b, parameters: {weight: 0.5, density: 0.2}}\nparameters: {normalize: true}\n",
    "dare_linear": "merge_method: dare_linear\nbase_model: @base\nmodels:\n  - {model: @a, parameters: {weight: 0.4, density: 0.5}}\n  - {model: @b, parameters: {weight: 0.5, density: 0.5}}\n",
    "slerp": "merge_method: slerp\nbase_model: @a\nmodels:\n  - {model: @a}\n  - {model: @b}\nparameters:\n  t:\n    - {filter: mlp, value: [0.2, 0.8]}\n    - {value: 0.5}\n",
    "model_stock": "merge_method: model_stock\nbase_model: @base\nmodels:\n  - {model: @a}\n  - {model: @b}\n",
    "breadcrumbs": "merge_method: breadcrumbs\nbase_model: @base\nmodels:\n  - {model: @a, parameters: {weight: 0.4, density: 0.9, gamma: 0.01}}\n  - {model: @b, parameters: {weight: 0.5, density: 0.9, gamma: 0.01}}\n",
    "karcher": "merge_method: karcher\nmodels:\n  - {model: @a}\n  - {model: @b}\nparameters: {max_iter: 100, tol: 1e-9}\n",
    "multislerp": "merge_method: multislerp\nbase_model: @base\nmodels:\n  - {model: @a, parameters: {weight: 0.4}}\n  - {model: @b, parameters: {weight: 0.5}}\n",
    "nuslerp": "merge_method: nuslerp\nbase_model: @base\nmodels:\n  - {model: @a, parameters: {weight: 0.4}}\n  - {model: @b, parameters: {weight: 0.5}}\n",
    "nuslerp_rows": "merge_method: nuslerp\nmodels:\n  - {model: @a, parameters: {weight: 0.4}}\n  - {model: @b, parameters: {weight: 0.5}}\nparameters: {nuslerp_flatten: false}\n",
    "model_stock_rows": "merge_method: model_stock\nbase_model: @base\nmodels:\n  - {model: @a}\n  - {model: @b}\nparameters: {filter_wise: true}\n",
    "nearswap": "merge_method: nearswap\nbase_model: @base\nmodels:\n  - {model: @base}\n  - {model: @a}\nparameters: {t: 0.001}\n",
    "sce": "merge_method: sce\nbase_model: @base\nmodels:\n  - {model: @a}\n  - {model: @b}\nparameters: {select_topk: 0.3}\n",
    "ties_l1": "merge_method: ties\nbase_model: @base\nmodels:\n  - {model: @a, parameters: {weight: 0.4, density: 0.5}}\n  - {model: @b, parameters: {weight: 0.5, density: 0.5}}\nparameters: {rescale: true}\n",
    "passthrough": "merge_method: passthrough\nmodels:\n  - {model: @a, parameters: {scale: [{filter: mlp, value: 0.5}, {value: 1.25}]}}\n",
}
RANDOM = {"dare_linear"}


def environment(folder):
    """The Python of a virtual environment with mergekit in it."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if subprocess.run([python, "-c", "import mergekit"], capture_output=True).returncode:
        print(f"installing {MERGEKIT} into {folder}", file=sys.stderr)
        subprocess.run([python, "-m", "pip", "install", "-q", MERGEKIT], check=True)
    return python


def llama(hidden, inner, layers, rows, heads, positions):
    """The shapes and the configuration of a small Llama in bf16, of so many rows of embeddings."""
    shapes = {"model.embed_tokens.weight": (rows, hidden), "lm_head.weight": (rows, hidden), "model.norm.weight": (hidden,)}
    for i in range(layers):
        p = f"model.layers.{i}."
        for name in "qkvo":
            shapes[p + f"self_attn.{name}_proj.weight"] = (hidden, hidden)
        shapes |= {p + "mlp.gate_proj.weight": (inner, hidden), p + "mlp.up_proj.weight": (inner, hidden), p + "mlp.down_proj.weight": (hidden, inner)}
        shapes |= {p + "input_layernorm.weight": (hidden,), p + "post_attention_layernorm.weight": (hidden,)}
    return shapes, {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": heads, "vocab_size": rows,
        "rms_norm_eps": 1e-6, "max_position_embeddings": positions, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    }


def make_models(root, mib):
    """A base and two models: run inside the environment."""
    import torch
    from safetensors.torch import save_file

    hidden, inner = 1024, 2816
    per_layer = 4 * hidden * hidden + 3 * hidden * inner
    layers = max(1, int((mib * 2**20 / 2 - 2 * 8192 * hidden) / per_layer))
    shapes, config = llama(hidden, inner, layers, 8192, 16, 2048)
    torch.manual_seed(0)
    base = {n: torch.randn(s) * 0.02 for n, s in shapes.items()}
    for name, scale in (("base", 0.0), ("a", 0.002), ("b", 0.003)):
        folder = pathlib.Path(root) / name
        folder.mkdir()
        tensors = {n: (t + scale * torch.randn(t.shape)).to(torch.bfloat16) for n, t in base.items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        (folder / "config.json").write_text(json.dumps(config, indent=2))


def compare_outputs(ours, theirs):
    """Share of elements that differ, and the largest difference over the tensor's root mean square."""
    import torch
    from safetensors import safe_open

    def tensors(folder):
        for f in sorted(pathlib.Path(folder).glob("*.safetensors")):
            with safe_open(f, "pt") as t:
                for name in t.keys():
                    yield name, t.get_tensor(name)

    other = dict(tensors(theirs))
    n = differ = 0
    worst = 0.0
    names = []
    for name, x in tensors(ours):
        y = other.pop(name)
        if x.dtype != y.dtype or x.shape != y.shape:
            names.append(f"{name}: {x.dtype} {tuple(x.shape)} against {y.dtype} {tuple(y.shape)}")
            continue
        x, y = x.float(), y.float()
        n += x.numel()
        differ += int((x != y).sum())
        worst = max(worst, float((x - y).abs().max() / y.square().mean().sqrt().clamp(min=1e-30)))
    names += [f"{name}: missing" for name in other]
    print(json.dumps({"elements": n, "differ": differ / n, "largest": worst, "mismatched": names}))


def timed(command):
    """Seconds and the peak of resident memory in MiB of a command and its children."""
    start = time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = 0
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{said.decode()}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--mib", type=int, default=512)
    p.add_argument("--methods", default=",".join(CONFIGS))
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--venv", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "parfait" / "mergekit-venv")
    p.add_argument("--parfait", type=pathlib.Path)
    p.add_argument("--dir")
    p.add_argument("--json", action="store_true")
    args = p.parse_args()
    python = environment(args.venv.expanduser().absolute())
    root = pathlib.Path(tempfile.mkdtemp(prefix="parfait-mergekit-", dir=args.dir))
    results = {}
    try:
        parfait = args.parfait.absolute() if args.parfait else root / "parfait"
        if not args.parfait:
            subprocess.run(["go", "build", "-o", parfait, "."], cwd=ROOT, check=True)
        subprocess.run([python, __file__, "--make", root, str(args.mib)], check=True)
        for method in args.methods.split(","):
            text = CONFIGS[method] + "dtype: float32\nout_dtype: bfloat16\n"
            for name in ("base", "a", "b"):
                text = text.replace("@" + name + ",", f"{root / name},").replace("@" + name + "}", f"{root / name}}}").replace("@" + name + "\n", f"{root / name}\n")
            config, recipe = root / f"{method}.yaml", root / f"{method}.recipe.yaml"
            config.write_text(text)
            recipe.write_bytes(subprocess.run([parfait, "mergekit", "import", config], check=True, capture_output=True).stdout)
            r = {"mergekit_s": 1e9, "parfait_s": 1e9, "mergekit_mib": 0, "parfait_mib": 0}
            for _ in range(args.repeat):
                for who, command in (
                    ("mergekit", [args.venv / "bin" / "mergekit-yaml", config, root / "theirs", "--no-copy-tokenizer"]),
                    ("parfait", [parfait, "merge", recipe, root / "ours"]),
                ):
                    shutil.rmtree(root / {"mergekit": "theirs", "parfait": "ours"}[who], ignore_errors=True)
                    seconds, mib = timed(command)
                    r[who + "_s"] = min(r[who + "_s"], seconds)
                    r[who + "_mib"] = max(r[who + "_mib"], mib)
            r["faster"], r["memory"] = r["mergekit_s"] / r["parfait_s"], r["parfait_mib"] / r["mergekit_mib"]
            if method not in RANDOM:
                said = subprocess.run([python, __file__, "--compare", root / "ours", root / "theirs"], check=True, capture_output=True).stdout
                r |= json.loads(said)
            results[method] = r
            if not args.json:
                print(f"{method:16} {r['mergekit_s']:7.2f} s {r['mergekit_mib']:7.0f} MiB   parfait {r['parfait_s']:6.2f} s {r['parfait_mib']:5.0f} MiB   {r['faster']:5.1f} times faster, {r['memory']:.3f} of the memory   differ {r.get('differ', float('nan')):.2e}, at most {r.get('largest', float('nan')):.1e} of the rms", flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if args.json:
        print(json.dumps({"mib": args.mib, "mergekit": MERGEKIT, "methods": results}, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        make_models(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ["--compare"]:
        compare_outputs(sys.argv[2], sys.argv[3])
    else:
        main()
