"""A small server that speaks what worker.py asks of vLLM, with "log-probabilities" that are a smooth function of the
weights of the folder that is loaded, and that misbehaves as vLLM has been reported to.

    vllm.py serve BASE --served-model-name NAME --port N [--enable-lora …]

The file that FAKE_VLLM names holds words, read with every request; what is asked is appended to FAKE_VLLM.log:

    stale      a reload loads the weights of the reload before
    nothing    a reload answers 200 and does nothing
    cache      the prefix cache is never emptied, and answers
    unseen     so, in all but the metrics
    old-lora   an adapter is the first that was loaded
    base-lora  an adapter is the base
    noise      answers vary a little; noisy: a lot
    mamba      a reload breaks a weight, that of the base itself too
    expert     a reload of anything but the base breaks a weight for good
    nan        a reload leaves no numbers
    refuse     a reload is an error
    crash      the server ends at the next question that is not of the fixed tokens, once
    die        so, every time
    drift      weights change while they are measured
    @1         all of it only in the server that was started first; @2, …
"""

import hashlib
import http.server
import json
import math
import os
import random
import struct
import sys
import threading
import time

BASE, ARGS = sys.argv[2], sys.argv[3:]
SPEC = os.environ.get("FAKE_VLLM", os.devnull)
WIDE = 48
lock = threading.Lock()


def faults():
    with open(SPEC) as f:
        words = f.read().split()
    mine = [w for w in words if w[0] == "@"]
    return words if not mine or "@%d" % NUMBER in mine else []


def no_more(word):
    left = [w for w in faults() if w != word]
    with open(SPEC, "w") as f:
        f.write(" ".join(left))


def features(folder, single="model.safetensors"):
    with open(os.path.join(folder, single), "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        f.read(n)
        data = f.read()
    out = [0.0] * WIDE
    for i, (x,) in enumerate(struct.iter_unpack("<f", data[: len(data) // 4 * 4])):
        out[i % WIDE] += x * math.cos(i)
    return out


class State:
    served = features(BASE)
    base = list(served)
    broken, path, before, adapters, cache, hits, first = 0.0, BASE, BASE, {}, {}, 0, None


def value(w, token, place):
    return math.tanh(sum(x * math.sin(0.37 * j + 0.11 * token + 0.05 * place) for j, x in enumerate(w)))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer

    def log_message(self, *a):
        pass

    def say(self, code, body):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path == "/health":
            self.say(200 if time.monotonic() > READY else 503, b"")
        elif self.path == "/metrics":
            self.say(200, b"# TYPE vllm:prefix_cache_hits counter\nvllm:prefix_cache_hits_total{engine=\"0\"} %d.0\n" % (0 if "unseen" in faults() else State.hits))
        else:
            self.say(404, {"detail": "Not Found"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        with lock, open(SPEC + ".log", "a") as log:
            log.write(self.path + "\n")
            code, said = self.answer(body, faults())
        self.say(code, said)

    def answer(self, body, bad):
        if self.path == "/collective_rpc" and os.environ.get("VLLM_SERVER_DEV_MODE") == "1":
            assert body["method"] == "reload_weights", body
            path = body["kwargs"]["weights_path"]
            if "refuse" in bad:
                return 500, {"error": {"message": "shard_dim=0 is not a valid data dimension for a 3D tensor"}}
            if "nothing" in bad:
                return 200, {"results": [None]}
            take = State.before if "stale" in bad else path
            State.before = path
            State.path, State.served = path, features(take)
            if "mamba" in bad or "expert" in bad and path != BASE:
                State.broken += 0.5
            if "nan" in bad:
                State.broken = math.nan
            State.served[7] += State.broken
            return 200, {"results": [None]}
        if self.path == "/reset_prefix_cache" and os.environ.get("VLLM_SERVER_DEV_MODE") == "1":
            if "cache" not in bad and "unseen" not in bad:
                State.cache.clear()
            return 200, b""
        if self.path == "/v1/load_lora_adapter" and os.environ.get("VLLM_ALLOW_RUNTIME_LORA_UPDATING") == "True" and "--enable-lora" in ARGS:
            name = body["lora_name"]
            if name in State.adapters:
                return 400, {"error": {"message": "The lora adapter '%s' has already been loaded." % name}}
            with open(os.path.join(body["lora_path"], "adapter_config.json")) as f:
                rank = json.load(f)["r"]
            if rank > int(ARGS[ARGS.index("--max-lora-rank") + 1]):
                return 400, {"error": {"message": "LoRA rank %d is greater than max_lora_rank" % rank}}
            made = [a + 0.3 * b for a, b in zip(State.base, features(body["lora_path"], "adapter_model.safetensors"))]
            State.first = State.first or made
            State.adapters[name] = State.base if "base-lora" in bad else State.first if "old-lora" in bad else made
            return 200, b"Success: LoRA adapter added successfully."
        if self.path == "/v1/unload_lora_adapter":
            return (200, b"Success") if State.adapters.pop(body["lora_name"], None) else (404, {"error": "no such adapter"})
        if self.path == "/v1/completions":
            return self.complete(body, bad)
        return 404, {"detail": "Not Found"}

    def complete(self, body, bad):
        name = body["model"]
        if name != ARGS[ARGS.index("--served-model-name") + 1] and name not in State.adapters:
            return 404, {"error": {"message": "The model `%s` does not exist." % name}}
        w = list(State.adapters.get(name) or State.served)
        if "drift" in bad:
            w[3] += random.random()
        shake = 1e-4 if "noise" in bad else 1.0 if "noisy" in bad else 0.0
        choices = []
        several = isinstance(body["prompt"], list) and not isinstance(body["prompt"][0], int)
        for i, prompt in enumerate(body["prompt"] if several else [body["prompt"]]):
            if isinstance(prompt, str):
                if "crash" in bad or "die" in bad:
                    no_more("crash")
                    os._exit(9)
                seed = int(hashlib.sha256(prompt.encode()).hexdigest()[:6], 16)
                choices.append({"index": i, "text": "yes" if value(w, seed % 1000, 0) > 0 else "no", "finish_reason": "stop"})
                continue
            key = (name, *prompt)
            found = State.cache.get(key)
            if found and not body.get("echo"):
                State.hits += len(prompt)
            seen = found if found and not body.get("echo") else w
            if not found:
                State.cache[key] = w
            all_of = [value(w, t, k) for k, t in enumerate(prompt)] if body.get("echo") else []
            logprobs = [x - 3 + random.gauss(0, shake) for x in all_of + [value(seen, sum(prompt), 0)]]
            if all_of:
                logprobs[0] = None
            choices.append({"index": i, "text": "", "finish_reason": "length", "logprobs": {"token_logprobs": logprobs}})
        return 200, {"object": "text_completion", "model": name, "choices": choices, "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}


if __name__ == "__main__":
    READY = time.monotonic() + float(os.environ.get("FAKE_VLLM_START", "0"))
    port = int(ARGS[ARGS.index("--port") + 1])
    with open(SPEC + ".log", "a") as log:
        log.write("started %s\n" % " ".join(ARGS))
    with open(SPEC + ".log") as log:
        NUMBER = sum(line.startswith("started ") for line in log)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
