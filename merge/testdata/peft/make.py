"""Makes the folders beside it: what PEFT writes of adapters on models whose head and embeddings are one tensor,
and on the experts of mixtures.

python make.py, with torch, transformers 5.24 and peft 0.21.2. Of base, adapter and merged model only the
tensors in question and one projection are kept.
"""
import json, os, shutil
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel, GptOssConfig, GptOssForCausalLM, LlamaConfig, LlamaForCausalLM,
                          MixtralConfig, MixtralForCausalLM)

HERE = os.path.dirname(os.path.abspath(__file__))


def llama():
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=6, hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=2,
                                        num_key_value_heads=2, tie_word_embeddings=True))


def gpt2():
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=6, n_embd=4, n_layer=1, n_head=2, n_positions=8))


def bert():
    torch.manual_seed(0)
    return BertForMaskedLM(BertConfig(vocab_size=6, hidden_size=4, num_hidden_layers=1, num_attention_heads=2, intermediate_size=4, max_position_embeddings=8))


def mixtral(inner):
    def make():
        torch.manual_seed(0)
        return MixtralForCausalLM(MixtralConfig(vocab_size=6, hidden_size=4, intermediate_size=inner, num_hidden_layers=1, num_attention_heads=2,
                                                num_key_value_heads=2, num_local_experts=2, num_experts_per_tok=1))
    return make


def gpt_oss(inner):
    def make():
        torch.manual_seed(0)
        return GptOssForCausalLM(GptOssConfig(vocab_size=6, hidden_size=4, intermediate_size=inner, num_hidden_layers=1, num_attention_heads=2,
                                              num_key_value_heads=2, head_dim=2, num_local_experts=2, num_experts_per_tok=1))
    return make


def kept(name):
    return any(s in name for s in ("embed_tokens", "lm_head", "wte", "word_embeddings", "predictions.decoder", "predictions.bias", "q_proj", "c_attn", "query", "experts"))


def case(name, model, **lora):
    work, to = os.path.join(HERE, "work"), os.path.join(HERE, name)
    shutil.rmtree(work, ignore_errors=True), shutil.rmtree(to, ignore_errors=True)
    model().save_pretrained(work + "/base")
    trained = get_peft_model(model(), LoraConfig(r=1, lora_alpha=2, **lora))
    torch.manual_seed(1)
    with torch.no_grad():
        for p in trained.parameters():
            if p.requires_grad:
                p.add_(torch.randn_like(p) * .1)
    trained.save_pretrained(work + "/adapter")
    PeftModel.from_pretrained(model(), work + "/adapter").merge_and_unload().save_pretrained(work + "/merged")
    for part, file in (("base", "model"), ("adapter", "adapter_model"), ("merged", "model")):
        os.makedirs(f"{to}/{part}")
        tensors = {k: v.contiguous() for k, v in load_file(f"{work}/{part}/{file}.safetensors").items() if kept(k)}
        save_file(tensors, f"{to}/{part}/{file}.safetensors", {"format": "pt"})
        config = json.load(open(f"{work}/{part}/{'adapter_config' if part == 'adapter' else 'config'}.json"))
        if part == "adapter":
            config = {k: v for k, v in config.items() if k in ("peft_type", "r", "lora_alpha", "bias", "fan_in_fan_out", "target_modules", "modules_to_save", "ensure_weight_tying", "target_parameters", "peft_version")}
        else:
            config = {k: v for k, v in config.items() if k in ("architectures", "model_type", "tie_word_embeddings")}
        json.dump(config, open(f"{to}/{part}/{'adapter_config' if part == 'adapter' else 'config'}.json", "w"), indent=1)
    shutil.rmtree(work)


case("save-embeddings", llama, target_modules=["q_proj"], modules_to_save=["embed_tokens"])
case("save-head", llama, target_modules=["q_proj"], modules_to_save=["lm_head"])
case("save-both", llama, target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"])
case("save-both-tied", llama, target_modules=["q_proj"], modules_to_save=["embed_tokens"], ensure_weight_tying=True)
case("lora-embeddings", llama, target_modules=["q_proj", "embed_tokens"])
case("lora-head", llama, target_modules=["q_proj", "lm_head"])
case("gpt2-save-embeddings", gpt2, target_modules=["c_attn"], modules_to_save=["wte"], fan_in_fan_out=True)
case("bert-save-embeddings", bert, target_modules=["query"], modules_to_save=["word_embeddings"])
case("bert-save-decoder", bert, target_modules=["query"], modules_to_save=["decoder"])
BOTH = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
for name, model in (("mixtral", mixtral), ("gpt-oss", gpt_oss)):
    case(f"{name}-experts", model(6), target_modules=["q_proj"], target_parameters=BOTH)
    case(f"{name}-experts-square", model(4), target_modules=["q_proj"], target_parameters=BOTH)
case("mixtral-experts-down", mixtral(6), target_modules=["q_proj"], target_parameters=BOTH[1:])
