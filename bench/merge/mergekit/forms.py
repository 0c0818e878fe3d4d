#!/usr/bin/env python3
"""Runs every form of recipe in forms/ with mergekit and with parfait, and compares what comes out.

usage: python bench/merge/mergekit/forms.py [--only NAME,NAME] [--venv DIR] [--parfait BINARY] [--json]

Prints a table in Markdown.

forms/ has the forms in which mergekit files are published: lists of models and slices, modules, gradients and filters,
several documents, tokenizers. @base, @a, @b and @c stand for tiny models of 40 layers in bf16, which this makes: @b and
@c have a token that @base does not have. mergekit runs all in one process, parfait imports and merges each. Tensors are
compared as float32; "differ" is the share of elements that are not the same bits, "largest" the largest difference over
the root mean square of its tensor; once for the recipe as it is and once for one that computes in float32, since mergekit
rounds every step to bfloat16 where a recipe says so. Where masks are drawn at random only names, types and shapes are
compared, and where one result has more rows than the other, the rows that both have.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from compare import MERGEKIT, ROOT, environment, llama

FORMS = pathlib.Path(__file__).resolve().parent / "forms"
EXACT = "-float32"  # the recipe that computes in float32
VOCABULARY = 72  # rows of the embeddings: some more than there are tokens
TOKENS = {"base": [], "a": [], "b": ["<|b|>"], "c": ["<|c|>"]}


def make_models(root):
    """The four models: run inside the environment."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    shapes, config = llama(32, 64, 40, VOCABULARY, 4, 128)
    config |= {"bos_token_id": 0, "eos_token_id": 1}
    torch.manual_seed(0)
    start = {n: torch.randn(s) * 0.05 for n, s in shapes.items()}
    common = {n: torch.randn(s) for n, s in shapes.items()}  # what fine-tuned models learn alike: their task vectors point the same way
    for name, more in TOKENS.items():
        folder = pathlib.Path(root) / name
        folder.mkdir()
        scale = 0.0 if name == "base" else 0.01
        save_file({n: (t + scale * (common[n] + torch.randn(t.shape))).to(torch.bfloat16) for n, t in start.items()}, folder / "model.safetensors", metadata={"format": "pt"})
        (folder / "config.json").write_text(json.dumps(config, indent=2))
        vocabulary = {t: i for i, t in enumerate(["<s>", "</s>", "<unk>"] + [f"w{i}" for i in range(60)] + more)}
        t = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
        t.pre_tokenizer = pre_tokenizers.Whitespace()
        t.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps({
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
            "chat_template": "{% for m in messages %}" + name + ": {{ m.content }}{% endfor %}",
        }))
        (folder / "special_tokens_map.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}))


def merge_theirs(root):
    """Every form with mergekit, or the error that it gives: run inside the environment."""
    import yaml
    from mergekit.config import MergeConfiguration
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions

    root = pathlib.Path(root)
    said = {}
    for form in sorted((root / "forms").glob("*.yml")):
        out = root / "theirs" / form.stem
        try:
            documents = list(yaml.safe_load_all(form.read_text()))
            if len(documents) > 1:
                command = [pathlib.Path(sys.executable).with_name("mergekit-multi"), form, "-I", root / "between" / form.stem, "--out-path", out]
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    raise RuntimeError(done.stderr.strip().splitlines()[-1])
            else:
                run_merge(MergeConfiguration.model_validate(documents[0]), str(out), MergeOptions(random_seed=1))
            said[form.stem] = ""
        except BaseException as e:  # what it refuses, however it does
            shutil.rmtree(out, ignore_errors=True)
            said[form.stem] = f"{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ''}"
    (root / "theirs.json").write_text(json.dumps(said))


def compare_all(root):
    """What differs of each form that both have made: run inside the environment."""
    import torch
    from safetensors import safe_open

    def tensors(folder):
        found = {}
        for f in sorted(pathlib.Path(folder).glob("*.safetensors")):
            with safe_open(f, "pt") as t:
                found |= {name: t.get_tensor(name) for name in t.keys()}
        return found

    result = {}
    for ours in sorted((pathlib.Path(root) / "ours").iterdir()):
        theirs = pathlib.Path(root) / "theirs" / ours.name
        if not theirs.is_dir():
            continue
        x, y = tensors(ours), tensors(theirs)
        wrong = sorted(set(x) ^ set(y))
        n = differ = 0
        largest = 0.0
        for name in sorted(set(x) & set(y)):
            a, b = x[name], y[name]
            if a.dtype != b.dtype or a.shape[1:] != b.shape[1:]:
                wrong.append(f"{name}: {a.dtype} {tuple(a.shape)} against {b.dtype} {tuple(b.shape)}")
                continue
            rows = min(len(a), len(b))
            a, b = a[:rows], b[:rows]
            a, b = a.float(), b.float()
            n += a.numel()
            differ += int((a != b).sum())
            largest = max(largest, float((a - b).abs().max() / b.square().mean().sqrt().clamp(min=1e-30)))
        configs = [json.loads((d / "config.json").read_text()) for d in (ours, theirs)]
        layers, rows = ([c.get(k) for c in configs] for k in ("num_hidden_layers", "vocab_size"))
        wrong += [f"{layers[0]} layers against {layers[1]}"] if layers[0] != layers[1] else []
        result[ours.name] = {"differ": differ / max(n, 1), "largest": largest, "mismatched": wrong[:5], "rows": rows if rows[0] != rows[1] else None}
    print(json.dumps(result))


def in_float32(text):
    """The recipe, computed in float32 and written in bfloat16."""
    lines = [s for s in text.splitlines() if not s.startswith(("dtype:", "out_dtype:"))]
    ends = [i for i, s in enumerate(lines) if s == "---"] + [len(lines)]
    for i in reversed(ends):
        lines[i:i] = ["dtype: float32", "out_dtype: bfloat16"]
    return "\n".join(lines) + "\n"


def random_masks(text):
    return any(m in text for m in ("dare_", "della"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="")
    p.add_argument("--venv", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "parfait" / "mergekit-venv")
    p.add_argument("--parfait", type=pathlib.Path)
    p.add_argument("--json", action="store_true")
    args = p.parse_args()
    python = environment(args.venv.expanduser().absolute())
    root = pathlib.Path(tempfile.mkdtemp(prefix="parfait-forms-"))
    try:
        parfait = args.parfait.absolute() if args.parfait else root / "parfait"
        if not args.parfait:
            subprocess.run(["go", "build", "-o", parfait, "."], cwd=ROOT, check=True)
        for name in ("forms", "ours", "theirs", "between", "recipes"):
            (root / name).mkdir()
        quiet = os.environ | {"TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
        subprocess.run([python, __file__, "--make", root], check=True)
        for form in sorted(FORMS.glob("*.yml")):
            if not args.only or form.stem in args.only.split(","):
                text = form.read_text()
                for name in TOKENS:
                    text = text.replace("@" + name, str(root / name))
                (root / "forms" / form.name).write_text(text)
                (root / "forms" / f"{form.stem}{EXACT}.yml").write_text(in_float32(text))
        ours = {}
        for form in sorted((root / "forms").glob("*.yml")):
            recipe = root / "recipes" / f"{form.stem}.yaml"
            done = subprocess.run([parfait, "mergekit", "import", form], capture_output=True, text=True)
            if done.returncode == 0:
                recipe.write_text(done.stdout)
                done = subprocess.run([parfait, "merge", recipe, root / "ours" / form.stem], capture_output=True, text=True)
            ours[form.stem] = "" if done.returncode == 0 else next((s for s in done.stderr.splitlines() if s.strip()), f"exit {done.returncode}").replace(str(root) + "/", "")
        subprocess.run([python, __file__, "--theirs", root], env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        theirs = json.loads((root / "theirs.json").read_text())
        compared = json.loads(subprocess.run([python, __file__, "--compare", root], check=True, capture_output=True).stdout)
        results = {}
        for name in ours:
            if not name.endswith(EXACT):
                random = random_masks((FORMS / f"{name}.yml").read_text())
                r = {"mergekit": theirs[name] or "runs", "parfait": ours[name] or "runs", "random": random}
                if not random:
                    r |= compared.get(name, {})
                    r["float32"] = compared.get(name + EXACT)
                results[name] = r | {k: compared[name][k] for k in ("mismatched", "rows") if name in compared}
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if args.json:
        print(json.dumps({"mergekit": MERGEKIT, "forms": results}, indent=2))
        return
    print("| form | mergekit | parfait | differ | at most, of the rms | in float32 | at most | |\n|---|---|---|---|---|---|---|---|")
    for name, r in results.items():
        row = [f"`{name}`", "runs" if r["mergekit"] == "runs" else "refuses", "runs" if r["parfait"] == "runs" else "refuses"]
        for c in (r, r.get("float32")):
            row += [f"{c['differ']:.1e}", f"{c['largest']:.1e}"] if c and "differ" in c else ["", ""]
        note = ["masks at random"] if r["random"] and "mismatched" in r else []
        if r.get("rows"):
            note.append(f"{r['rows'][0]} rows, mergekit {r['rows'][1]}")
        print("| " + " | ".join(row + ["; ".join(note + r.get("mismatched", []))]) + " |")


if __name__ == "__main__":
    steps = {"--make": make_models, "--theirs": merge_theirs, "--compare": compare_all}
    steps[sys.argv[1]](sys.argv[2]) if sys.argv[1:2] and sys.argv[1] in steps else main()
