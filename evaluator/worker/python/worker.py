#!/usr/bin/env python3
"""worker.py: a worker of parfait that merges in memory. Written by `parfait worker python`; yours to keep.

It maps the base and the models once, and makes every candidate from them without writing a file. All that
you write is what measures one (evaluate.py, beside this file):

    import worker

    def evaluate(model, tasks, split, items=None):
        return {task: score(model, task, split) for task in tasks}  # or {"value": …, "stderr": …, "n": …}

    worker.serve(evaluate)

and in study.yaml

    evaluators:
      main: {worker: [python, evaluate.py], model: false, timeout: 2h}

`model` is a mapping from names of tensors to arrays, merged when they are asked for, each time anew:

    model["model.norm.weight"]      an array: numpy's (bf16 as float32, of the same value), or with
                                    serve(evaluate, device="cuda") a tensor of torch in its own dtype, merged there
    for name, array in model.items(): …
    model.load_into(module)         puts all of it into a module of torch, whose names have to be the same
    model.save(folder)              writes it as a checkpoint, for programs that want one
    model.coefficients, model.id, model.progress(done, total, note)

An exception fails that candidate and no other. What is printed goes to the candidate's log.

With numpy the merge is that of `parfait merge` to the bit; with torch to one rounding. To see it:

    python worker.py --selftest recipe.json OUT [MERGED] [--torch DEVICE]

writes the merge of a recipe to OUT; with MERGED, what `parfait merge recipe.json MERGED` wrote, it compares
the two, tensor by tensor. Methods: task_arithmetic and linear, with groups, profile, skip, dtype and LoRA adapters. For
everything else take `model: true`: `model` is then the folder that parfait has merged, and evaluate.py stays the same.
It needs numpy, or torch with numpy, and nothing else.
"""

import argparse
import collections.abc
import concurrent.futures
import inspect
import json
import math
import mmap
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import traceback

import numpy as np


class Refused(Exception):
    """What this file cannot merge, or should not."""


def needs_folder(what):
    return Refused(what + ": set `model: true` for this evaluator, and parfait merges it")


# --- safetensors --------------------------------------------------------------------------------------------

# The dtypes in the order in which files have them, backwards; BF16 is kept as integers.
DTYPES = "BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ I16 U16 F16 BF16 I32 U32 F32 C64 F64 I64 U64".split()
STORED = {"BF16": np.dtype("<u2"), "F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8")}  # what is computed on
WHOLE = {
    "BOOL": np.dtype("?"), "U8": np.dtype("u1"), "I8": np.dtype("i1"), "U16": np.dtype("<u2"), "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"), "I32": np.dtype("<i4"), "U64": np.dtype("<u8"), "I64": np.dtype("<i8"), "C64": np.dtype("<c8"),
}


class Stored:
    """A tensor as a file has it: flat is its elements, mapped, or its bytes where nothing is computed on them."""

    def __init__(self, name, dtype, shape, raw):
        self.name, self.dtype, self.shape, self.raw = name, dtype, tuple(shape), raw
        kind = STORED.get(dtype) or WHOLE.get(dtype)
        if kind is not None and raw.size != kind.itemsize * math.prod(self.shape):
            raise Refused("the tensor %s has %d bytes, its shape %s says %d elements of %s" % (name, raw.size, list(shape), math.prod(self.shape), dtype))
        self.flat = raw.view(kind) if kind is not None else raw

    @property
    def computable(self):
        return self.dtype in STORED


def read_file(path):
    """The tensors of one file, in the order of their names."""
    with open(path, "rb") as f:
        head = f.read(8)
        length = int.from_bytes(head, "little")
        size = os.fstat(f.fileno()).st_size
        if len(head) < 8 or length > size - 8:
            raise Refused("%s is no safetensors file, or was cut short" % path)
        header = json.loads(f.read(length))
        everything = np.frombuffer(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    header.pop("__metadata__", None)
    out = {}
    for name in sorted(header):
        lo, hi = header[name]["data_offsets"]
        if not 0 <= lo <= hi <= size - 8 - length:
            raise Refused("%s: the tensor %s ends behind the file, which was cut short" % (path, name))
        out[name] = Stored(name, header[name]["dtype"], header[name]["shape"], everything[8 + length + lo : 8 + length + hi])
    return out


def read_tensors(path, single="model.safetensors"):
    """The tensors of a folder (one file, or the shards that its index names) or of one file."""
    if not os.path.isdir(path):
        return read_file(path)
    if os.path.lexists(os.path.join(path, single)):
        return read_file(os.path.join(path, single))
    index = os.path.join(path, single + ".index.json")
    if not os.path.exists(index):
        raise Refused("%s has neither %s nor its index" % (path, single))
    with open(index, encoding="utf-8") as f:
        where = json.load(f)["weight_map"]
    out = {}
    for shard in sorted(set(where.values())):
        out.update(read_file(os.path.join(path, shard)))
    missing = sorted(set(where) - set(out))
    if missing:
        raise Refused("%s: its shards lack %s" % (path, ", ".join(missing[:4])))
    return out


def write_file(path, tensors):
    """Writes (name, dtype, shape, raw bytes) as one safetensors file, laid out as the reference library does it."""
    tensors = sorted(tensors, key=lambda t: (-DTYPES.index(t[1]), t[0]))
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, dtype, shape, size, _ in tensors:
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for name, _, _, size, make in tensors:
            if size and f.write(make().view(np.uint8)) != size:
                raise OSError("%s: the tensor %s was not written whole" % (path, name))
        f.flush()
        os.fsync(f.fileno())


# --- arithmetic ---------------------------------------------------------------------------------------------

# The smallest magnitudes that round to infinity.
TOO_LARGE = {"BF16": float.fromhex("0x1.ffp127"), "F16": 65520.0, "F32": float.fromhex("0x1.ffffffp127"), "F64": math.inf}


def round_to_odd(x):
    """float64 as float32 such that rounding it once more, to fewer bits, is as if rounded once."""
    with np.errstate(over="ignore"):
        y = x.astype(np.float32)
    bits, back = y.view(np.uint32).copy(), y.astype(np.float64)
    bits[np.abs(back) > np.abs(x)] -= 1
    bits[back != x] |= 1
    return bits.view(np.float32)


def widened(bits):
    """bf16 as float32."""
    u = bits.astype(np.uint32)
    u <<= np.uint32(16)
    return u.view(np.float32)


class Numpy:
    """The arithmetic of docs/methods.md, to the bit, on chunks of a tensor."""

    chunk = 1 << 18

    def __init__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())

    def each(self, f, pieces):
        return self.pool.map(f, pieces)

    def load(self, stored, lo, hi, wide):
        """Elements as float32, or float64 where wide: always an array of its own."""
        x, real = stored.flat[lo:hi], np.float64 if wide else np.float32
        if stored.dtype == "BF16":
            x = widened(x)
            return x.astype(real) if wide else x
        with np.errstate(over="ignore"):
            return x.astype(real)

    def zeros(self, n, wide):
        return np.zeros(n, np.float64 if wide else np.float32)

    def scalar(self, w, wide):
        return np.float64(w) if wide else np.float32(w)

    def add_product(self, total, w, x):
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(x, w, out=x)
            total += x

    def subtract(self, x, base):
        with np.errstate(over="ignore", invalid="ignore"):
            x -= base
        return x

    def add(self, x, base):
        with np.errstate(over="ignore", invalid="ignore"):
            x += base
        return x

    def outer(self, left, right):
        """left · right as a sum over the rank, in its order; every product and every sum is rounded."""
        total = np.zeros((left.shape[0], right.shape[1]), left.dtype)
        for k in range(left.shape[1]):
            self.add_product(total, left[:, k : k + 1], np.broadcast_to(right[k], total.shape).copy())
        return total.reshape(-1)

    def finite(self, x, dtype):
        """Whether every number is one of the dtype's when it is rounded."""
        return x.size == 0 or bool(x.max() < TOO_LARGE[dtype] and x.min() > -TOO_LARGE[dtype])  # not where it is NaN

    def encode(self, x, dtype, finite):
        """Rounded once, to nearest, ties to even."""
        if x.dtype == np.float64 and dtype in ("BF16", "F16"):
            x = round_to_odd(x)
        with np.errstate(over="ignore"):
            if dtype != "BF16":
                return x.astype(STORED[dtype])
        u = x.view(np.uint32)
        out = u >> np.uint32(16)
        out &= np.uint32(1)
        out += np.uint32(0x7FFF)
        out += u
        out >>= np.uint32(16)
        out = out.astype(np.uint16)
        if not finite:
            nan = np.isnan(x)
            out[nan] = (u[nan] >> np.uint32(16)).astype(np.uint16) | np.uint16(0x40)
        return out

    def empty(self, n, dtype):
        return np.empty(n, STORED[dtype])

    def as_stored(self, stored):
        return stored.flat

    def forget(self):
        """Other models come."""

    def shown(self, flat, dtype, shape):
        """What evaluate sees."""
        if dtype == "BF16":
            flat = widened(flat)
        return flat.reshape(shape) if dtype in STORED or dtype in WHOLE else flat

    def bits(self, flat):
        return np.ascontiguousarray(flat)


class Torch(Numpy):
    """The same operations with torch, on a device. keep holds what was read of base and models there."""

    chunk = 1 << 26

    def __init__(self, device, keep):
        import torch

        self.t, self.device, self.keep, self.kept = torch, torch.device(device), keep, {}
        self.types = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32, "F64": torch.float64}

    def each(self, f, pieces):
        return map(f, pieces)

    def upload(self, flat, dtype):
        x = self.t.from_numpy(np.array(flat.view(np.int16) if dtype == "BF16" else flat))
        return (x.view(self.t.bfloat16) if dtype == "BF16" else x).to(self.device)

    def resident(self, stored):
        if id(stored) not in self.kept:
            self.kept[id(stored)] = self.upload(stored.flat, stored.dtype)
        return self.kept[id(stored)]

    def as_stored(self, stored):
        return self.resident(stored).clone() if self.keep else self.upload(stored.flat, stored.dtype)  # evaluate may change it

    def forget(self):
        self.kept.clear()

    def load(self, stored, lo, hi, wide):
        x = self.resident(stored)[lo:hi] if self.keep else self.upload(stored.flat[lo:hi], stored.dtype)
        return x.to(self.t.float64 if wide else self.t.float32, copy=True)

    def zeros(self, n, wide):
        return self.t.zeros(n, dtype=self.t.float64 if wide else self.t.float32, device=self.device)

    def scalar(self, w, wide):
        return float(w) if wide else float(np.float32(w))

    def add_product(self, total, w, x):
        x *= w
        total += x

    def subtract(self, x, base):
        x -= base
        return x

    def add(self, x, base):
        x += base
        return x

    def outer(self, left, right):
        left, right = self.t.from_numpy(left).to(self.device), self.t.from_numpy(right).to(self.device)
        total = self.t.zeros((left.shape[0], right.shape[1]), dtype=left.dtype, device=self.device)
        for k in range(left.shape[1]):
            total += left[:, k : k + 1] * right[k]
        return total.reshape(-1)

    def finite(self, x, dtype):
        return x.numel() == 0 or bool((x.abs() < TOO_LARGE[dtype]).all())

    def encode(self, x, dtype, finite):
        return x.to(self.types[dtype])

    def empty(self, n, dtype):
        return self.t.empty(n, dtype=self.types[dtype], device=self.device)

    def shown(self, flat, dtype, shape):
        return flat.reshape(shape) if dtype in STORED or dtype in WHOLE else flat

    def bits(self, flat):
        if flat.dtype == self.t.bfloat16:
            flat = flat.view(self.t.int16)
        return flat.cpu().numpy()


# --- models -------------------------------------------------------------------------------------------------


class Product:
    """A task vector that is a product: scale · left · right, as LoRA has it."""

    def __init__(self, left, right, scale):
        self.left, self.right, self.scale = left, right, scale

    def rows(self, ops, lo, hi, wide):
        host, real = Numpy.load, np.float64 if wide else np.float32

        def matrix(part):
            stored, turned = part
            x = host(ops, stored, 0, stored.flat.size, wide).reshape(stored.shape)
            return x.T if turned else x

        left = (self.scale * matrix(self.left)[lo:hi].astype(np.float64)).astype(real)
        return ops.outer(left, np.ascontiguousarray(matrix(self.right)))


PLAIN = {"bias": ("none", "", None), "init_lora_weights": (True, False, None, "gaussian", "eva", "orthogonal", "default")}
REFUSED = "use_dora use_qalora lora_bias layer_replication target_parameters alora_invocation_tokens megatron_config trainable_token_indices".split()
TWO_ROLES = re.compile(r"(^|\.)(embed_tokens|tok_embeddings|word_embeddings?|wte|embed_in|embed_out|lm_head|shared|embeddings?)\.(weight|bias)$")


class Adapter:
    """A LoRA adapter's folder: for each of the base's tensors that it changes a Product or a tensor."""

    def __init__(self, name, folder, config, layout, tied):
        where = "%s (%s)" % (name, folder)
        if config.get("peft_type") != "LORA" or "lora_alpha" not in config:
            raise needs_folder("%s is an adapter of the kind %r" % (where, config.get("peft_type")))
        odd = [k for k in REFUSED if config.get(k)] + [k for k, plain in PLAIN.items() if config.get(k) not in plain]
        if odd:
            raise needs_folder("%s uses %s" % (where, ", ".join(odd)))
        self.of, pairs = {}, {}
        for key, stored in read_tensors(folder, "adapter_model.safetensors").items():
            key = key[len("base_model.model.") :] if key.startswith("base_model.model.") else key
            m = re.match(r"^(.*)\.lora_(embedding_)?(A|B)(?:\.[^.]+)?$", key.removesuffix(".weight"))
            if m:
                pair = pairs.setdefault(self.base_name(where, m[1] + ".weight", layout, tied), {"module": m[1], "embedding": bool(m[2])})
                pair[m[3]] = stored
                continue
            for part in (".modules_to_save.default.", ".modules_to_save.", ".base_layer."):
                key = key.replace(part, ".")
            self.of[self.base_name(where, key, layout, tied)] = stored
        for tensor, pair in pairs.items():
            self.of[tensor] = self.product(where, config, pair, layout[tensor])

    @staticmethod
    def base_name(where, key, layout, tied):
        found = [key] if key in layout else [key.partition(".")[2]]
        if found[0] not in layout:
            found = [n for n in layout if n.endswith("." + key)]
        if len(found) != 1:
            raise needs_folder("%s changes %s, which the base does not have under this name" % (where, key))
        if tied and TWO_ROLES.search(found[0]):
            raise needs_folder("%s changes %s, which the base uses in two places" % (where, found[0]))
        return found[0]

    @staticmethod
    def product(where, config, pair, stored):
        if "A" not in pair or "B" not in pair or len(stored.shape) != 2 or not pair["A"].computable or not pair["B"].computable:
            raise needs_folder("%s: the module %s is no plain product of two matrices" % (where, pair["module"]))
        a, b = pair["A"], pair["B"]
        rank, alpha = a.shape[0], config["lora_alpha"]
        for key in sorted(config.get("alpha_pattern") or {}):
            if re.match(r"^(.*\.)?(%s)$" % key, pair["module"]):
                alpha = config["alpha_pattern"][key]
                break
        scale = alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank
        straight, turned = stored.shape == (b.shape[0], a.shape[1]), stored.shape == (a.shape[1], b.shape[0])
        if b.shape[1] != rank or not (straight or turned):
            raise needs_folder("%s: %s is %s · %s on a tensor of %s" % (where, pair["module"], list(b.shape), list(a.shape), list(stored.shape)))
        if straight and not (turned and (pair["embedding"] or config.get("fan_in_fan_out"))):
            return Product((b, False), (a, False), scale)
        return Product((a, True), (b, True), scale)


def glob(pattern):
    """A pattern on whole names: * any run of characters, ? one, [0-9] one of a class, [!0-9] one that is not,
    {4..17} one of these numbers, {q,k} one of these texts."""
    out, i = "", 0
    while i < len(pattern):
        c, i = pattern[i], i + 1
        if c == "*":
            out += ".*"
        elif c == "?":
            out += "."
        elif c == "\\":
            out, i = out + re.escape(pattern[i]), i + 1
        elif c == "{":
            end = pattern.index("}", i)
            inside, i = pattern[i:end], end + 1
            if ".." in inside:
                lo, hi = map(int, inside.split("..", 1))
                out += "(?:%s)" % "|".join(str(n) for n in range(lo, hi + 1))
            else:
                out += "(?:%s)" % "|".join(map(re.escape, inside.split(",")))
        elif c == "[":
            end = pattern.index("]", i + 1)
            inside, i = pattern[i:end], end + 1
            out += "[" + ("^" + inside[1:] if inside[0] in "!^" else inside).replace("\\", "\\\\").replace("[", "\\[") + "]"
        else:
            out += re.escape(c)
    return re.compile(out, re.DOTALL)


STACK = re.compile(r"(^|[._])(layers?|h|blocks?|resblocks|stages?)\.$")
AFTER = re.compile(r"(^|\.)(norm|norm_f|ln_f|final_layer_?norm|output_norm|lm_head|embed_out|output|proj_out|score|classifier|head)\.(weight|bias)$")
BEFORE = re.compile(
    r"embed|(^|\.)(wte|wpe|shared|conv\w*|ln_pre|pre_?la?yer_?norm|pre_layrnorm|cls_token|class_token)(\.|$)|patch|position", re.IGNORECASE
)


def layer_of(name):
    """How the names of a tensor's layers begin, and its number; None where it is in none."""
    parts = name.split(".")
    for i, part in enumerate(parts[:-1]):
        if part.isascii() and part.isdigit():
            return ".".join(parts[:i] + [""]), int(part)
    return None


def depths(names):
    """Where tensors stand between the first layer of their stack (0) and the last (1), as parfait places them."""
    layers = {name: layer_of(name) for name in names}
    last = {}
    for stack, n in filter(None, layers.values()):
        last[stack] = max(last.get(stack, 0), n)
    named, out = any(STACK.search(s) for s in last), {}
    for name, layer in layers.items():
        if layer and (STACK.search(layer[0]) or not named):
            out[name] = layer[1] / last[layer[0]] if last[layer[0]] else 0.0
        else:
            out[name] = 1.0 if AFTER.search(name) or not BEFORE.search(name) else 0.0
    return out


def profiled(weight, depth):
    """A weight at a depth: of a list, one a knot, that on the straight lines between them."""
    if not isinstance(weight, list):
        return float(weight)
    place = depth * (len(weight) - 1)
    k = min(int(place), len(weight) - 2)
    share = place - k
    if share in (0, 1):
        return float(weight[k + int(share)])
    return weight[k] + share * (weight[k + 1] - weight[k])


def config_of(path, name="config.json"):
    path = os.path.join(path, name)
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8-sig") as f:
        return json.load(f)


class Inputs:
    """The base and the models of a recipe, mapped and matched; coefficients come later."""

    def __init__(self, recipe):
        self.method = recipe["method"]["name"]
        if self.method not in ("task_arithmetic", "linear"):
            raise needs_folder("the method %s is not merged here, only task_arithmetic and linear are" % self.method)
        for key in ("masks", "vocab", "variance_correction"):
            if recipe.get(key):
                raise needs_folder("%s: %s is not merged here" % (key, recipe[key]))
        self.names = [m["name"] for m in recipe["models"]]
        self.folder = recipe.get("base") or recipe["models"][0]["path"]
        self.config = config_of(self.folder)
        self.layout = read_tensors(self.folder)
        for path in [self.folder] + [m["path"] for m in recipe["models"]]:
            if config_of(path).get("quantization_config"):
                raise Refused("%s is quantised: packed weights cannot be merged; dequantise it first" % path)
        self.models = [self.open(m) for m in recipe["models"]]
        self.skip = [glob(p) for p in recipe.get("skip", [])]
        self.groups = [(g["name"], glob(g["match"])) for g in recipe.get("groups", [])]
        self.depths = depths(self.layout) if recipe.get("profile") else {}
        problems = [p for name in self.layout for p in self.check(name)] + [p for m in self.models for p in self.strangers(m)]
        if problems:
            raise needs_folder("; ".join(problems[:4]) + (", and %d more" % (len(problems) - 4) if len(problems) > 4 else ""))

    def open(self, model):
        config = config_of(model["path"], "adapter_config.json")
        if config and not os.path.exists(os.path.join(model["path"], "model.safetensors")):
            says = self.config.get("tie_word_embeddings")
            heads = [n for n in self.layout if n.endswith(("lm_head.weight", "embed_out.weight"))]
            return Adapter(model["name"], model["path"], config, self.layout, tied=says or says is None and not heads)
        return read_tensors(model["path"])

    def skipped(self, name):
        return any(g.fullmatch(name) for g in self.skip)

    def merged(self, name):
        return self.layout[name].computable and not self.skipped(name)

    def group(self, name):
        return next((g for g, pattern in self.groups if pattern.fullmatch(name)), None)

    def check(self, name):
        stored = self.layout[name]
        if not self.merged(name):
            return
        if self.groups and self.group(name) is None:
            yield "%s matches no group" % name
        for i, model in enumerate(self.models):
            own = model.of.get(name) if isinstance(model, Adapter) else model.get(name)
            if own is None and not isinstance(model, Adapter):
                yield "%s lacks %s" % (self.names[i], name)
            elif isinstance(own, Stored) and (own.shape != stored.shape or not own.computable):
                yield "%s has %s as %s %s, the base as %s %s" % (self.names[i], name, own.dtype, list(own.shape), stored.dtype, list(stored.shape))

    def strangers(self, model):
        """Tensors that only a model has: a head that is its embeddings once more is none."""
        if isinstance(model, Adapter):
            return
        i = next(i for i, m in enumerate(self.models) if m is model)
        for name, own in model.items():
            if name in self.layout or self.skipped(name):
                continue
            if not any(o is not own and o.shape == own.shape and o.dtype == own.dtype and np.array_equal(o.raw, own.raw) for n, o in model.items() if n in self.layout):
                yield "%s has %s, which the base lacks" % (self.names[i], name)
        head = next((n for n in self.layout if n.endswith("lm_head.weight")), None)
        if head and self.config.get("tie_word_embeddings") and head in model and not any(
            n != head and TWO_ROLES.search(n) and np.array_equal(o.raw, model[head].raw) for n, o in model.items()
        ):
            yield "%s has a head of its own, and the base says that its head is its embeddings" % self.names[i]


class Folder:
    """A checkpoint that is written already, in the place of Inputs."""

    method, names, models, groups = "task_arithmetic", [], [], []

    def __init__(self, folder):
        self.folder, self.config, self.layout = folder, config_of(folder), read_tensors(folder)

    def merged(self, name):
        return False


# --- the merge ----------------------------------------------------------------------------------------------


def by_group(value, group, default):
    if isinstance(value, dict):
        return value.get(group, default)
    return default if value is None else value


class Merge(collections.abc.Mapping):
    """One candidate: names of tensors to arrays, merged when they are asked for."""

    def __init__(self, inputs, recipe=None, ops=None, request=None, progress=None):
        self.inputs, self.recipe, self.ops = inputs, recipe or {}, ops or Numpy()
        request = request or {}
        self.coefficients, self.id, self.key = request.get("coefficients", {}), request.get("id", ""), request.get("key", "")
        self.progress = progress or (lambda done, total=0, note="": None)
        self.seconds = 0.0  # spent merging
        self.parts = {}  # by group and depth: the models' indices and weights, None where every weight is 0

    def __iter__(self):
        return iter(self.inputs.layout)

    def __len__(self):
        return len(self.inputs.layout)

    def __contains__(self, name):
        return name in self.inputs.layout

    def __getitem__(self, name):
        dtype, shape, flat = self.merge(name)
        return self.ops.shown(flat, dtype, shape)

    def raw(self, name):
        """The tensor as it would be written: (dtype as safetensors spells it, shape, flat array; bf16 as uint16)."""
        dtype, shape, flat = self.merge(name)
        return dtype, shape, self.ops.bits(flat)

    def dtype(self, name):
        """The dtype that the tensor would be written in."""
        stored, said = self.inputs.layout[name], self.recipe.get("dtype", "as-base").upper()
        return said if stored.computable and said in STORED else stored.dtype

    def weights(self, group, depth):
        """f32(λ·c), the product in float64, or f32(c/Σc): (index of the model, weight), without those that are 0."""
        if (group, depth) not in self.parts:
            params = self.recipe["method"]
            c = [profiled(by_group(m.get("weight"), group, 0.0), depth) for m in self.recipe["models"]]
            if self.inputs.method == "linear":
                total = sum(c) if params.get("normalize", True) else 1.0
                w = [x / total if np.float32(x) != 0 else 0.0 for x in c]
            else:
                scale = float(by_group(params.get("lambda"), group, 1.0))
                w = [scale * x for x in c]
            self.parts[group, depth] = [(i, x) for i, x in enumerate(w) if np.float32(x) != 0]
        return self.parts[group, depth]

    def merge(self, name):
        begin = time.monotonic()
        try:
            stored, dtype = self.inputs.layout[name], self.dtype(name)
            if not self.inputs.merged(name):
                flat = self.ops.as_stored(stored) if dtype == stored.dtype else self.compute(name, stored, dtype, [], check=False)
                return dtype, stored.shape, flat
            weights = self.weights(self.inputs.group(name), self.inputs.depths.get(name, 0.0))
            if not weights and self.inputs.method != "linear" and dtype == stored.dtype:
                return dtype, stored.shape, self.ops.as_stored(stored)
            return dtype, stored.shape, self.compute(name, stored, dtype, weights)
        finally:
            self.seconds += time.monotonic() - begin

    def compute(self, name, stored, dtype, weights, check=True):
        ops, linear = self.ops, self.inputs.method == "linear" and self.inputs.merged(name)
        owns = [m.of.get(name) if isinstance(m, Adapter) else m.get(name) for m in self.inputs.models]
        copied = not weights and not linear
        kinds = {stored.dtype} | {o.dtype for o in owns if isinstance(o, Stored)}
        wide = stored.dtype == "F64" and (copied or len(kinds) == 1)
        out = ops.empty(stored.flat.size, dtype)
        row = stored.shape[1] if len(stored.shape) == 2 and any(isinstance(o, Product) for o in owns) else 1
        step = max(1, ops.chunk // row) * row

        def piece(lo):
            hi = min(lo + step, stored.flat.size)
            base = None if linear and all(isinstance(owns[i], Stored) for i, _ in weights) else ops.load(stored, lo, hi, wide)
            total = base if copied else ops.zeros(hi - lo, wide)
            for i, w in weights:
                own = owns[i]
                if own is None:  # an adapter that leaves this tensor alone
                    x = ops.add(ops.zeros(hi - lo, wide), base) if linear else ops.zeros(hi - lo, wide)
                elif isinstance(own, Product):
                    x = own.rows(ops, lo // row, -(-hi // row), wide)
                    x = ops.add(x, base) if linear else x
                else:
                    x = ops.load(own, lo, hi, wide)
                    x = x if linear else ops.subtract(x, base)
                ops.add_product(total, ops.scalar(w, wide), x)
            if not copied and not linear:
                total = ops.add(total, base)
            if check and not ops.finite(total, dtype):
                raise Refused("%s: a merged value is no finite number as %s: an input has NaN or infinities, or the coefficients are too large for the dtype" % (name, dtype))
            out[lo:hi] = ops.encode(total, dtype, check)

        list(ops.each(piece, range(0, stored.flat.size, step)))
        return out

    def load_into(self, module):
        """Puts every tensor into a module of torch (its parameters and buffers by name), in the module's own dtypes."""
        import torch

        own = module.state_dict()
        strangers = [n for n in self if n not in own]
        if strangers:
            raise Refused("the module has no %s: its names are others than the checkpoint's; use model.save(folder) and load that" % ", ".join(strangers[:3]))
        filled = set()
        with torch.no_grad():
            for name in self:
                dtype, shape, flat = self.merge(name)
                if isinstance(flat, np.ndarray):
                    flat = torch.from_numpy(np.array(flat.view(np.int16) if dtype == "BF16" else flat))
                    flat = flat.view(torch.bfloat16) if dtype == "BF16" else flat
                own[name].copy_(flat.reshape(shape))
                filled.add(own[name].data_ptr())
        left = [n for n, t in own.items() if n not in self and t.data_ptr() not in filled]
        if left:
            raise Refused("the checkpoint has nothing for %s of the module" % ", ".join(left[:3]))
        return module

    def save(self, folder):
        """Writes the merge as a checkpoint, with the base's configuration and tokenizer. The folder must not exist."""
        folder = os.path.abspath(folder)
        if os.path.lexists(folder):
            raise FileExistsError(folder + " exists, and nothing is written over")
        staged = tempfile.mkdtemp(prefix="." + os.path.basename(folder) + "-", dir=os.path.dirname(folder))
        try:
            sizes = {n: np.dtype(STORED[self.dtype(n)]).itemsize * s.flat.size if s.computable else s.raw.size for n, s in self.inputs.layout.items()}
            write_file(
                os.path.join(staged, "model.safetensors"),
                [(n, self.dtype(n), s.shape, sizes[n], lambda n=n: self.raw(n)[2]) for n, s in self.inputs.layout.items()],
            )
            self.copy_papers(staged)
            os.chmod(staged, 0o755)
            os.rename(staged, folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return folder

    def copy_papers(self, folder):
        if not os.path.isdir(self.inputs.folder):
            return
        for name in sorted(os.listdir(self.inputs.folder)):
            path = os.path.join(self.inputs.folder, name)
            wanted = re.fullmatch(r".*\.(json|jinja|model|tiktoken|py)|vocab\.txt|merges\.txt|(LICENSE|NOTICE).*", name)
            if not wanted or not os.path.isfile(path) or re.fullmatch(r".*\.index\.json|adapter_config\.json|trainer_state\.json|receipt\.json|.*_results\.json|training_args.*\.json", name):
                continue
            if name != "config.json":
                shutil.copyfile(path, os.path.join(folder, name))
                continue
            word = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}.get(self.recipe.get("dtype", "").upper())
            config = config_of(self.inputs.folder)
            if word:
                for key in [k for k in ("torch_dtype", "dtype") if k in config] or ["torch_dtype"]:
                    config[key] = word
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                json.dump(config, f, indent=2)


# --- the protocol -------------------------------------------------------------------------------------------


class Mapped:
    """What stays: the arithmetic, and the inputs of the recipe that was asked for last."""

    def __init__(self, device=None, keep=False):
        self.ops = Torch(device, keep) if device else Numpy()
        self.of, self.inputs = None, None

    def candidate(self, request, progress):
        recipe, folder = request.get("recipe"), request.get("model")
        if folder:
            return Merge(Folder(folder), None, self.plain(), request, progress)
        if not recipe:
            raise Refused("neither a recipe nor a model was given: this worker needs a parfait that sends recipes, or `model: true`")
        of = json.dumps([recipe.get("base"), [[m["name"], m["path"]] for m in recipe["models"]], recipe["method"]["name"], recipe.get("groups"), recipe.get("profile"), recipe.get("skip"), recipe.get("masks"), recipe.get("vocab"), recipe.get("variance_correction")])
        if of != self.of:
            progress(0, 0, "opening the models")
            self.of, self.inputs = None, None
            self.ops.forget()
            self.inputs, self.of = Inputs(recipe), of
        return Merge(self.inputs, recipe, self.ops, request, progress)

    def plain(self):
        """The arithmetic for a folder, of which nothing is kept: the next one is another."""
        return Torch(self.ops.device, False) if isinstance(self.ops, Torch) else self.ops


def plain_json(value):
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError("%r is no figure" % (value,))


def figures(evaluate, model, request):
    """Calls evaluate, with items where they are asked for."""
    args = {"items": request["items"]} if request.get("items") is not None else {}
    if args and not takes_items(evaluate):
        raise Refused("some items only are asked for, and evaluate takes no items")
    found = evaluate(model, list(request["tasks"]), request["split"], **args)
    if not isinstance(found, dict):
        raise Refused("evaluate returned %s, expected a dict of task to figure" % type(found).__name__)
    if isinstance(found.get("results"), dict) and "results" not in request["tasks"]:  # lm-eval's, with functions among it
        return {k: found[k] for k in ("results", "groups", "group_subtasks", "n-samples") if k in found}
    return found


def takes_items(f):
    parameters = inspect.signature(f).parameters.values()
    return any(p.name == "items" or p.kind == p.VAR_KEYWORD for p in parameters)


def answer(mapped, evaluate, request, progress):
    """What is said of one candidate."""
    begin = time.monotonic()
    try:
        model = mapped.candidate(request, progress)
        reply = {"key": request["key"], "metrics": figures(evaluate, model, request)}
        if request.get("model"):
            reply["model"] = request["model"]
        text = json.dumps(reply, default=plain_json)
        print("%s took %.2f s, %.2f s of them merging" % (request["key"], time.monotonic() - begin, model.seconds), file=sys.stderr)
        return text
    except Refused as e:
        return json.dumps({"key": request["key"], "error": str(e)})
    except KeyboardInterrupt:
        raise
    except BaseException as e:  # SystemExit too: it is this candidate's, and not the worker's end
        traceback.print_exc()
        frames = traceback.extract_tb(e.__traceback__)
        last = ([f for f in frames if f.filename != __file__] or frames)[-1]  # what calls worker.py wrongly is elsewhere
        return json.dumps({"key": request["key"], "error": "%s: %s (%s:%d)" % (type(e).__name__, e, os.path.basename(last.filename), last.lineno)})


def take_over():
    """The lines that are read and written here alone: what others print goes to stderr, and they read nothing."""
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdout.flush()
    os.dup2(2, 1)
    return requests, answers


def serve(evaluate, device=None, keep=False):
    """Measures candidates with evaluate(model, tasks, split, items=None) until there are no more.

    device merges with torch, there ("cuda"); keep holds base and models in its memory. Without it numpy
    merges, and arrays are numpy's. An argument --selftest in the command line does that instead.
    """
    if "--selftest" in sys.argv:
        return main(device)
    if sys.stdin.isatty():
        print("parfait runs this: name it in study.yaml as `main: {worker: [python, %s], model: false}`" % sys.argv[0], file=sys.stderr)
    if "PARFAIT_OUT" in os.environ:
        sys.exit("this is a worker: name it in study.yaml as `worker: [python, %s]`, not as `command:`" % sys.argv[0])
    requests, answers = take_over()
    speaking = threading.Lock()

    def say(text):
        with speaking:
            answers.write(text + "\n")
            answers.flush()

    def progress(done, total=0, note=""):
        say(json.dumps({"progress": {"done": int(done), "total": int(total), "note": str(note)}}))

    mapped = Mapped(device, keep)
    for line in requests:
        if line.strip():
            say(answer(mapped, evaluate, json.loads(line), progress))


# --- the command line ---------------------------------------------------------------------------------------


def read_recipe(path):
    """A recipe as JSON, or as the YAML that parfait writes. Relative paths are meant from its folder."""
    if os.path.isdir(path):
        path = os.path.join(path, "recipe.yaml")
    with open(path, encoding="utf-8-sig") as f:
        text = f.read()
    try:
        recipe = json.loads(text)
    except ValueError:
        recipe = read_yaml(path, text)
    home = os.path.dirname(os.path.abspath(path))
    for m in recipe["models"]:
        m["path"] = os.path.join(home, m["path"])
    if recipe.get("base"):
        recipe["base"] = os.path.join(home, recipe["base"])
    return recipe


def read_yaml(path, text):
    try:
        import yaml

        return yaml.safe_load(text)
    except ImportError:
        pass
    out, last = {}, None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or line == "---":
            continue
        item, key = re.match(r"^ *- +(.*)$", line), re.match(r"^(\w+): *(.*)$", line)
        try:
            if item and last:
                out[last].append(flow(item[1]))
            elif key and re.sub(r"^#.*", "", key[2]):
                out[key[1]] = flow(key[2])
            elif key:
                last = key[1]
                out[last] = []
            else:
                raise ValueError
        except (ValueError, IndexError):
            raise Refused("%s:%d: only recipes as parfait writes them are read here: install PyYAML, or give the recipe as JSON" % (path, number)) from None
    return out


TOKEN = re.compile(r"""\s*(?:([{}\[\],:])|"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s{}\[\],:#'"](?:[^{}\[\],:#]|:(?=\S)|(?<=\S)#)*)|\#.*$)""")


def flow(text):
    """A value in YAML's flow style."""
    tokens = [m for m in TOKEN.finditer(text) if m.lastindex]

    def value():
        t = tokens.pop(0)
        if t[1] == "{":
            out = {}
            while tokens[0][1] != "}":
                key = value()
                if tokens.pop(0)[1] != ":":
                    raise ValueError
                out[key] = value()
                if tokens[0][1] == ",":
                    tokens.pop(0)
            tokens.pop(0)
            return out
        if t[1] == "[":
            out = []
            while tokens[0][1] != "]":
                out.append(value())
                if tokens[0][1] == ",":
                    tokens.pop(0)
            tokens.pop(0)
            return out
        if t[1]:
            raise ValueError
        if t[2] is not None:
            return json.loads('"%s"' % t[2])
        if t[3] is not None:
            return t[3].replace("''", "'")
        word = t[4].strip()
        for kind in (int, float):
            try:
                return kind(word)
            except ValueError:
                pass
        return {"true": True, "false": False, "null": None}.get(word, word)

    return value()


def compare(ours, theirs):
    """Says which tensors of two checkpoints differ, and by how much; how many do."""
    a, b, wrong = read_tensors(ours), read_tensors(theirs), 0
    for name in sorted(set(a) | set(b)):
        x, y = a.get(name), b.get(name)
        if x is None or y is None or (x.dtype, x.shape) != (y.dtype, y.shape):
            print("%s: %s, and %s in %s" % (name, x and (x.dtype, x.shape), y and (y.dtype, y.shape), theirs))
        elif np.array_equal(x.raw, y.raw):
            continue
        else:
            print("%s: %d of %d elements differ" % (name, int((x.flat != y.flat).sum()), x.flat.size))
        wrong += 1
    print("%d tensors, %d differ" % (len(a), wrong))
    return wrong


def main(device=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selftest", nargs="+", metavar="PATH", required=True, help="RECIPE OUT [MERGED]: write the merge of a recipe to OUT, and compare it with MERGED")
    parser.add_argument("--torch", metavar="DEVICE", default=device, help="merge with torch, on DEVICE")
    args = parser.parse_args()
    if len(args.selftest) not in (2, 3):
        parser.error("--selftest takes RECIPE OUT, or RECIPE OUT MERGED")
    recipe, out = args.selftest[:2]
    try:
        recipe = read_recipe(recipe)
        begin = time.monotonic()
        mapped = Mapped(args.torch)
        model = mapped.candidate({"recipe": recipe}, lambda *a: None)
        model.save(out)
        print("%s: %d tensors in %.2f s, %.2f s of them merging" % (out, len(model), time.monotonic() - begin, model.seconds))
        if len(args.selftest) == 3 and compare(out, args.selftest[2]):
            sys.exit(1)
    except (Refused, OSError) as e:
        sys.exit("worker.py: %s" % e)


if __name__ == "__main__":
    main()
