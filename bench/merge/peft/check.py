#!/usr/bin/env python3
"""Checks adapters against PEFT: what parfait makes of LoRA adapters, and what PEFT makes of parfait's.

usage: PYTHON bench/merge/peft/check.py PARFAIT     (PYTHON has torch, transformers and peft)

Makes a tiny Llama and two adapters of different kinds with PEFT (rsLoRA, rank and alpha patterns,
embeddings, modules_to_save), merges them with the binary PARFAIT in both forms, and compares with what
PEFT computes. Also loads a checkpoint of parfait's with transformers.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import warnings

warnings.simplefilter("ignore")

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

PARFAIT = pathlib.Path(sys.argv[1]).absolute()


def adapter(base, folder, seed, **config):
    torch.manual_seed(seed)
    model = get_peft_model(LlamaForCausalLM.from_pretrained(base, dtype=torch.float32), LoraConfig(task_type="CAUSAL_LM", **config))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.add_(0.05 * torch.randn_like(p))
    model.save_pretrained(folder)


def state(folder):
    return {n: t.double() for n, t in AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict().items()}


def with_adapter(base, folder):
    model = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base, dtype=torch.float32), folder)
    return {n: t.double() for n, t in model.merge_and_unload().state_dict().items()}


def compare(what, got, want):
    worst = max(float((got[n] - want[n]).abs().max()) for n in want)
    print(f"{what}: largest difference {worst:.2e}")
    assert set(got) == set(want) and worst < 2e-6, what


def main():
    root = pathlib.Path(tempfile.mkdtemp(prefix="parfait-peft-"))
    config = LlamaConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, vocab_size=100, tie_word_embeddings=False)
    torch.manual_seed(0)
    base = root / "base"
    LlamaForCausalLM(config).save_pretrained(base)
    adapter(base, root / "a", 1, r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], rank_pattern={"layers.1.self_attn.q_proj": 2}, alpha_pattern={"layers.2.self_attn.v_proj": 20})
    adapter(base, root / "b", 2, r=3, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "down_proj", "embed_tokens"], modules_to_save=["lm_head"])
    weights = {"a": 0.6, "b": -0.3}

    recipe = "version: 1\nbase: base\nmodels:\n" + "".join(f"  - {{name: {n}, path: {n}, weight: {w}}}\n" for n, w in weights.items()) + "method: {name: task_arithmetic}\n"
    (root / "full.yaml").write_text(recipe)
    (root / "adapter.yaml").write_text(recipe + "form: adapter\n")
    for name in ("full", "adapter"):
        subprocess.run([PARFAIT, "merge", root / f"{name}.yaml", root / name], check=True, capture_output=True)

    plain = state(base)
    deltas = {n: {k: t - plain[k] for k, t in with_adapter(base, root / n).items()} for n in weights}
    want = {k: t + sum(w * deltas[n][k] for n, w in weights.items()) for k, t in plain.items()}
    compare("the full merge against PEFT's task vectors", state(root / "full"), want)
    compare("our adapter on PEFT against the full merge", with_adapter(base, root / "adapter"), state(root / "full"))
    print(json.dumps({k: v for k, v in json.loads((root / "adapter" / "adapter_config.json").read_text()).items() if k in ("r", "lora_alpha", "modules_to_save")}))
    print("ok")


main()
