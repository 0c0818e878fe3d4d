#!/usr/bin/env python3
"""worker.py: a worker of parfait that keeps one vLLM server. Written by `parfait worker vllm`; yours to keep.

    evaluators:
      main:
        worker: [python, worker.py, models/base, --task, 'math=gsm8k_cot', --, --max-model-len, '4096']
        devices: [0, 1]       # a server each; what follows `--` is given to `vllm serve`
        metrics: {math: 'gsm8k_cot/exact_match,strict-match'}
        timeout: 2h

The server is started with the base and stays; each candidate is loaded into it (a folder by reload_weights, an adapter by
load_lora_adapter) and measured with lm-eval's local-completions, or with a function of your own, in evaluate.py beside
this file:

    import worker

    def evaluate(url, model_name, tasks, split, items=None):
        client = openai.OpenAI(base_url=url, api_key="none")
        return {task: score(client, model_name, task, split) for task in tasks}  # or {"value": …, "stderr": …, "n": …}

    worker.serve(evaluate)

with `worker: [python, evaluate.py, models/base]`. Adapters (`form: adapter`) are measured several at once by one server:
`parallel: 4` without devices. Folders are measured one at a time by each.

Is it the candidate that answers? Servers have been seen to go on with the weights of before. So the log-probabilities of
512 fixed tokens are compared: the base has to repeat them when it is loaded again (at the start, after every tenth
candidate, at the end), and no candidate may repeat those of the base or of one before it whose weights are others. Else the
candidate fails with that reason, and the server is started anew.

Endpoints and options are those of vLLM's documentation and sources from 0.14 to 0.26 (sleep_mode.md, features/lora.md,
usage/security.md): POST /collective_rpc with reload_weights and weights_path, and /reset_prefix_cache, which need
VLLM_SERVER_DEV_MODE=1; /v1/load_lora_adapter and /v1/unload_lora_adapter, which need VLLM_ALLOW_RUNTIME_LORA_UPDATING=True;
/v1/completions with echo and logprobs; /health; /metrics. What is guarded against is reported in vLLM's issues 32718 (stale
weights), 42125 (an adapter's name used again meets old prefix cache), 48312 (what reloading gets wrong, with 42821 and 48284:
MoE and Mamba layouts). It needs vLLM, lm-eval where you bring no function, and nothing else.
"""

import argparse
import array
import concurrent.futures
import contextlib
import fcntl
import glob
import hashlib
import http.client
import inspect
import json
import math
import os
import re
import secrets
import selectors
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

SERVED = "parfait"  # the base's name, and that of whatever is loaded in its place
PROMPTS, TOKENS = 4, 129  # the first token of a prompt has no log-probability: 512 have
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # of vLLM's max_lora_rank
CHECK_EVERY = 10  # candidates between two looks at the base
LINGER = 60.0  # seconds that a server outlives its last worker
KEPT = 8  # candidates whose fingerprints are compared with a new one's
TRIES = 3  # of a candidate whose server dies


class Refused(Exception):
    """This candidate cannot be measured, which is nobody's fault but what is said."""


class Faulty(Exception):
    """It is not sure that the server answers with this candidate's weights."""


class Died(Exception):
    """The server is gone."""


# --- what a folder holds -------------------------------------------------------------------------------------


def headers(folder, single):
    """The tensors of a checkpoint: name, dtype, elements, file, place of the first byte."""
    files = [single]
    if not os.path.exists(os.path.join(folder, single)):
        with open(os.path.join(folder, single + ".index.json"), encoding="utf-8") as f:
            files = sorted(set(json.load(f)["weight_map"].values()))
    for name in files:
        path = os.path.join(folder, name)
        with open(path, "rb") as f:
            length = struct.unpack("<Q", f.read(8))[0]
            header = json.loads(f.read(length))
        header.pop("__metadata__", None)
        for tensor, t in sorted(header.items()):
            yield tensor, t["dtype"], math.prod(t["shape"]), path, 8 + length + t["data_offsets"][0]


def bf16(x):
    """The bits of the nearest bf16."""
    u = struct.unpack("<I", struct.pack("<f", x))[0]
    return (u + 0x7FFF + (u >> 16 & 1)) >> 16 & 0xFFFF


def sketch(folder, part="", each=16):
    """Some elements of every tensor, as bf16: enough to tell whether two checkpoints are the same weights. part picks
    tensors by one of their names."""
    single = "adapter_model.safetensors" if is_adapter(folder) else "model.safetensors"
    out, opened = array.array("H"), {}
    widths = {"BF16": (2, "<H"), "F16": (2, "<e"), "F32": (4, "<f"), "F64": (8, "<d")}
    try:
        for name, dtype, n, path, start in sorted(headers(folder, single)):
            if dtype not in widths or n == 0 or part not in name:
                continue
            size, form = widths[dtype]
            f = opened.get(path) or opened.setdefault(path, open(path, "rb"))
            for k in range(min(each, n)):
                f.seek(start + size * (k if n <= each else (k * 2654435761 + 97) % n))
                value = struct.unpack(form, f.read(size))[0]
                out.append(value if dtype == "BF16" else bf16(max(-3e38, min(3e38, value)) if value == value else value))
    finally:
        for f in opened.values():
            f.close()
    return out


def floats(bits):
    return [struct.unpack("<f", struct.pack("<I", u << 16))[0] for u in bits]


def differ(a, b):
    """How two sketches differ: the share of entries that do, and the length of the difference to that of the first."""
    if len(a) != len(b) or not len(a):
        return 1.0, 1.0
    share = sum(x != y for x, y in zip(a, b)) / len(a)
    x, y = floats(a), floats(b)
    length = math.sqrt(sum(v * v for v in x)) or 1.0
    return share, math.sqrt(sum((v - w) ** 2 for v, w in zip(x, y))) / length


def is_adapter(folder):
    return os.path.exists(os.path.join(folder, "adapter_config.json")) and not os.path.exists(os.path.join(folder, "model.safetensors"))


def config_of(folder, name="config.json"):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return json.load(f)


def prompts(base):
    """The fixed tokens: the same for every model of this base."""
    config = config_of(base)
    words = config.get("vocab_size") or config.get("text_config", {}).get("vocab_size")
    if not words:
        raise Refused("%s/config.json has no vocab_size" % base)
    words, low, x, out = min(words, 30000), min(words // 4, 1000), 20210617, []
    for _ in range(PROMPTS):
        one = []
        for _ in range(TOKENS):
            x = (6364136223846793005 * x + 1442695040888963407) % (1 << 64)
            one.append(low + (x >> 33) % (words - low))
        out.append(one)
    return out


# --- the server ---------------------------------------------------------------------------------------------


class Keeper:
    """A process of its own that holds a server for as long as a worker is connected to its socket, and LINGER longer.

    Workers are killed with their process group, at a timeout for example: the server stays for the others, and for the next
    run. It ends with its keeper, however that ends.
    """

    def __init__(self, place, command, linger):
        self.place, self.command, self.linger = place, command, linger
        self.child, self.why, self.port, self.instance = None, "", 0, ""

    def start(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.instance, self.why = secrets.token_hex(4), ""
        with open(self.place + ".log", "wb") as log:
            try:
                self.child = subprocess.Popen(self.command + ["--port", str(self.port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent)
            except OSError as e:
                self.child, self.why = None, "%s cannot be started: %s" % (self.command[0], e)

    def stop(self):
        if self.child is None:
            return
        for how, wait in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(wait)
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)  # its engine's processes
        self.child = None

    def state(self):
        if self.child is not None and self.child.poll() is not None:
            self.why = "it ended with status %d" % self.child.returncode
        return {"port": self.port, "instance": self.instance, "alive": not self.why, "why": self.why, "log": self.place + ".log"}

    def run(self):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self.place + ".sock")
        listening.listen(64)
        with locked(self.place + ".held"):  # until the server of the keeper before has left the device
            self.start()
            self.attend(listening)
            for end in (".sock", ".state", ".keeper"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.place + end)
            self.stop()

    def attend(self, listening):
        """Answers the workers until there is none for long enough."""
        users, last = {}, time.monotonic()
        with selectors.DefaultSelector() as ready:
            ready.register(listening, selectors.EVENT_READ)
            while users or time.monotonic() - last < self.linger:
                for key, _ in ready.select(min(1, max(self.linger, 0.05))):
                    if key.fileobj is listening:
                        user = listening.accept()[0]
                        users[user] = b""
                        ready.register(user, selectors.EVENT_READ)
                        continue
                    user, said = key.fileobj, b""
                    with contextlib.suppress(OSError):
                        said = user.recv(65536)
                    if not said:
                        ready.unregister(user)
                        users.pop(user)
                        user.close()
                        last = time.monotonic()
                        continue
                    users[user] += said
                    while b"\n" in users[user]:
                        line, _, users[user] = users[user].partition(b"\n")
                        asked = json.loads(line)
                        if asked["do"] == "leave" and len(users) == 1:
                            self.linger = -1.0
                        if asked["do"] == "restart" and asked["instance"] == self.instance:
                            self.stop()
                            self.start()
                        with contextlib.suppress(OSError):
                            user.sendall(json.dumps(self.state()).encode() + b"\n")


def die_with_parent():
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def home():
    """A folder for sockets and locks, which is ours alone."""
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir(), "parfait-vllm-%d" % os.getuid())
    path = os.environ.get("PARFAIT_VLLM_DIR", path)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    s = os.lstat(path)
    if s.st_uid != os.getuid() or s.st_mode & 0o022 or not os.path.isdir(path):
        raise Refused("%s is not ours alone: delete it, or set PARFAIT_VLLM_DIR" % path)
    return path


@contextlib.contextmanager
def locked(path, how=fcntl.LOCK_EX, waits=None):
    with open(path, "a") as f:
        try:
            fcntl.flock(f, how | fcntl.LOCK_NB)
        except OSError:
            if waits:
                waits()
            fcntl.flock(f, how)
        yield


class Server:
    """The server as this process sees it: one that a keeper holds, or the user's own."""

    def __init__(self, place, command, url, linger):
        self.place, self.command, self.url, self.linger, self.line = place, command, url, linger, None
        self.instance = url or ""

    def find(self):
        """Connects to the keeper, which is started where there is none."""
        with locked(self.place + ".start"):
            for _ in range(2):
                self.line = socket.socket(socket.AF_UNIX)
                with contextlib.suppress(OSError):
                    self.line.connect(self.place + ".sock")
                    self.ask("state")
                    return
                self.line.close()
                self.others_leave()
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.place + ".sock")
                env = dict(os.environ, VLLM_SERVER_DEV_MODE="1", VLLM_ALLOW_RUNTIME_LORA_UPDATING="True")
                with open(self.place + ".keeper", "wb") as log:
                    keeper = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--keeper", json.dumps([self.place, self.command, self.linger])], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
                while not os.path.exists(self.place + ".sock") and keeper.poll() is None:
                    time.sleep(0.01)
                while True:  # bound, and not listening yet
                    with contextlib.suppress(OSError):
                        probe = socket.socket(socket.AF_UNIX)
                        probe.connect(self.place + ".sock")
                        probe.close()
                        break
                    if keeper.poll() is not None:
                        raise Refused("the keeper of the server cannot start: %s" % tail(self.place + ".keeper"))
                    time.sleep(0.01)
        raise Refused("the keeper of the server is not there")

    def others_leave(self):
        """A server of an earlier run on these devices, with other options, makes room where nobody uses it."""
        device = os.path.basename(self.place).partition("-")[0]
        for path in glob.glob(os.path.join(os.path.dirname(self.place), device + "-*.sock")):
            if path != self.place + ".sock":
                with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
                    s.connect(path)
                    s.sendall(b'{"do": "leave"}\n')
                    while s.recv(65536):
                        pass

    def ask(self, do):
        if self.line is None:
            raise OSError("the keeper has gone")
        self.line.sendall(json.dumps({"do": do, "instance": self.instance}).encode() + b"\n")
        said = b""
        while not said.endswith(b"\n"):
            part = self.line.recv(65536)
            if not part:
                raise OSError("the keeper has gone")
            said += part
        return json.loads(said)

    def ready(self, progress):
        """Waits until the server answers."""
        if self.command is None:
            if not self.healthy():
                raise Refused("%s does not answer /health: start the server, with VLLM_SERVER_DEV_MODE=1 and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and --served-model-name %s" % (self.url, SERVED))
            return
        begin, told = time.monotonic(), 0.0
        while True:
            if self.line is None:
                self.find()
            try:
                state = self.ask("state")
            except OSError:
                self.line = None
                continue
            self.instance, self.url = state["instance"], "http://127.0.0.1:%d" % state["port"]
            if not state["alive"]:
                raise Died("the vLLM server is gone: %s; the end of %s: %s" % (state["why"], state["log"], tail(state["log"])))
            if self.healthy():
                return
            if time.monotonic() - told > 5:
                told = time.monotonic()
                progress(0, 0, "vLLM is starting, %.0f s" % (told - begin))
            time.sleep(0.1)

    def healthy(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=30) as r:
                return r.status == 200
        except (OSError, http.client.HTTPException):
            return False

    def restart(self):
        """Starts it anew, where it is ours; not where another worker has done so already."""
        if self.command is None:
            return False
        with contextlib.suppress(OSError):
            self.ask("restart")
        return True

    def alive(self):
        """Whether it is the same server still."""
        if self.command is None:
            return self.healthy()
        try:
            state = self.ask("state")
        except OSError:
            self.line = None
            return False
        return state["alive"] and state["instance"] == self.instance and self.healthy()

    def post(self, path, body=None, timeout=3600):
        """Answers with what the server says; an error of its own is Refused, in its words."""
        request = urllib.request.Request(self.url + path, json.dumps(body or {}).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as r:
                said = r.read()
        except urllib.error.HTTPError as e:
            text = e.read(2000).decode(errors="replace")
            if e.code == 404 and not path.startswith("/v1/completions"):
                raise Refused("the server has no %s: it needs VLLM_SERVER_DEV_MODE=1 and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True (%s)" % (path, text)) from None
            raise Refused("the server says %d to %s: %s" % (e.code, path, text)) from None
        except (OSError, http.client.HTTPException) as e:
            raise Died("the vLLM server does not answer %s: %s" % (path, e)) from None
        try:
            return json.loads(said)
        except ValueError:
            return None

    def cached(self):
        """How many tokens the prefix cache has answered for, None where the server does not tell."""
        try:
            with urllib.request.urlopen(self.url + "/metrics", timeout=30) as r:
                text = r.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return None
        found = re.findall(r"(?m)^vllm:(?:gpu_)?prefix_cache_hits(?:_total)?(?:\{[^}]*\})? (\S+)", text)
        return sum(map(float, found)) if found else None

    def fingerprint(self, name, fixed):
        """What the weights make of the fixed tokens: log-probabilities of all, and of one more of each prompt, with and
        without the prefix cache."""

        def ask(prompt, **more):
            said = self.post("/v1/completions", dict(more, model=name, prompt=prompt, max_tokens=1, temperature=0, logprobs=1))
            try:
                return said["choices"][0]["logprobs"]["token_logprobs"]
            except (TypeError, KeyError, IndexError) as e:
                raise Refused("the server's answer to /v1/completions has no log-probabilities (%r)" % e) from None

        # One after another: what is computed together is rounded otherwise. First with the cache, as it was left.
        cached = [ask(prompt)[-1] for prompt in fixed]
        whole = [ask(prompt, echo=True) for prompt in fixed]
        flat = [p for one in whole for p in one[1:TOKENS]]
        if len(flat) != PROMPTS * (TOKENS - 1) or len(cached) != PROMPTS or any(len(one) != TOKENS + 1 for one in whole):
            raise Refused("the server gave %d log-probabilities for %d tokens: it has to have room for prompts of %d" % (len(flat), PROMPTS * (TOKENS - 1), TOKENS + 1))
        if not all(isinstance(p, (int, float)) and math.isfinite(p) for p in flat + cached):
            raise Faulty("the server answers with log-probabilities that are no numbers: the weights that it has loaded are broken")
        return {"all": flat, "gap": max(abs(a - one[-1]) for a, one in zip(cached, whole))}


def distance(a, b):
    """The mean difference of two fingerprints, in nats."""
    return sum(abs(x - y) for x, y in zip(a["all"], b["all"])) / len(a["all"])


def tail(path, most=600):
    with contextlib.suppress(OSError), open(path, "rb") as f:
        f.seek(max(0, os.fstat(f.fileno()).st_size - most))
        return " ".join(f.read().decode(errors="replace").split()) or "(empty)"
    return "(none)"


# --- the guard ----------------------------------------------------------------------------------------------


class Guard:
    """What is known of the answers of a server, for all the workers that use it: in a file beside its socket."""

    def __init__(self, place, base, fixed):
        self.path, self.base, self.fixed = place + ".state", base, fixed
        self.fresh = True  # this process has not looked at the base yet

    def read(self):
        with contextlib.suppress(OSError, ValueError), open(self.path, encoding="utf-8") as f:
            return json.load(f)
        return {}

    def write(self, state):
        with open(self.path + ".new", "w", encoding="utf-8") as f:
            json.dump(state, f)
        os.rename(self.path + ".new", self.path)

    def begin(self, server, adapters, progress):
        """Before a candidate: what the base answers, and how much answers vary by themselves."""
        with locked(self.path + ".lock"):
            state = self.read()
            if state.get("instance") == server.instance and not (self.fresh and server.command is None):
                if self.fresh:
                    self.look(server, state, adapters)
                self.fresh = False
                return
            progress(0, 0, "taking the base's fingerprint")
            if server.command is None and not adapters:
                load(server, self.base)  # somebody may have loaded another
            seen = [server.fingerprint(SERVED, self.fixed) for _ in range(3)]
            if adapters:  # others are measured beside it
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    seen += pool.map(lambda _: server.fingerprint(SERVED, self.fixed), range(4))
            noise = max(distance(a, b) for a in seen for b in seen)
            if noise > 0.05:
                raise Faulty("the server's answers to the same tokens vary by %.3g nats in the mean: too much to tell candidates apart. Start it with --enforce-eager, or without quantisation of its cache" % noise)
            state = {
                "instance": server.instance, "base": seen[0], "sketch": sketch(self.base).tobytes().hex(), "noise": noise,
                "near": max(4 * noise, 0.02 if adapters else 0.001), "gap": max(4 * max(s["gap"] for s in seen), 0.25), "seen": [], "since": [],
            }  # fmt: skip
            self.look(server, state, adapters)
            self.fresh = False

    def look(self, server, state, adapters):
        """Loads the base again, which has to answer as at the start."""
        if not adapters:
            load(server, self.base)
        d = distance(server.fingerprint(SERVED, self.fixed), state["base"])
        if d > state["near"]:
            since = state["since"]
            raise Faulty(
                "the base, loaded again, answers otherwise than at the start (%.3g nats in the mean, noise is %.3g): this server does not reload these weights faithfully, which is known of mixtures of experts, Mamba layers and quantisation%s. Take a newer vLLM, or the evaluator lm_eval with `model: vllm`, which starts one for each candidate"
                % (d, state["noise"], "; the figures of %s may be wrong, measure them again (parfait trials --retry)" % ", ".join(since) if since else "")
            )
        state["since"] = []
        self.write(state)

    def compare(self, server, key, mine, folder, adapters):
        """Whether the fingerprint is one of these weights, as far as that can be told."""
        with locked(self.path + ".lock"):
            state = self.read()
            if state.get("instance") != server.instance:
                raise Died("the server was started anew meanwhile")
            if mine["gap"] > state["gap"]:
                raise Faulty("the server's prefix cache still holds what other weights have computed (%.3g nats between what it answers with and without): it is not emptied by /reset_prefix_cache. Start it with --no-enable-prefix-caching" % mine["gap"])
            weights = sketch(folder)
            others = [("the base", state["base"], state["sketch"])] + [(s["key"], s["print"], s["sketch"]) for s in state["seen"]]
            for who, other, hexed in others:
                d = distance(mine, other)
                if adapters and who == "the base":
                    share = length = 1.0 if any(u & 0x7FFF for u in sketch(folder, "_B")) else 0.0
                else:
                    share, length = differ(array.array("H", bytes.fromhex(hexed)), weights)
                # An adapter's matrices say little of how much it changes: only what cannot be told from noise is a repetition.
                near = d <= (state["noise"] if adapters else state["near"]) and length > 2**-8
                if share > 0.01 and (d == 0 or near):
                    raise Faulty(
                        "the server answers with the weights of %s: the log-probabilities of %d fixed tokens are the same (%.3g nats in the mean), and %.0f %% of the weights are not. It has not loaded the candidate"
                        % (who, PROMPTS * (TOKENS - 1), d, 100 * share)
                    )
            state["seen"] = state["seen"][1 - KEPT :] + [{"key": key, "print": mine, "sketch": weights.tobytes().hex()}]
            self.write(state)

    def end(self, server, key, mine, again, adapters):
        """After a candidate: its weights still answer, and now and then the base does."""
        with locked(self.path + ".lock"):
            state = self.read()
            if state.get("instance") != server.instance:
                raise Died("the server was started anew meanwhile")
            d = distance(mine, again)
            if d > state["near"]:
                raise Faulty("the server answers otherwise after the evaluation than before it (%.3g nats in the mean, noise is %.3g): other weights were loaded meanwhile. Nobody else may load weights into it" % (d, state["noise"]))
            state["since"].append(key)
            self.write(state)
            if len(state["since"]) >= CHECK_EVERY:
                self.look(server, state, adapters)


def load(server, folder):
    """Puts the weights of a folder in the place of those that are loaded."""
    server.post("/collective_rpc", {"method": "reload_weights", "kwargs": {"weights_path": folder}})
    server.post("/reset_prefix_cache")


# --- a candidate --------------------------------------------------------------------------------------------


class Worker:
    def __init__(self, options, evaluate):
        self.options, self.evaluate = options, evaluate
        self.base = os.path.abspath(options.base)
        self.fixed = prompts(self.base)
        self.servers = {}

    def server(self, adapter):
        """The server for folders (adapter None), or for adapters of a rank."""
        o = self.options
        if adapter is None:
            more = []
        else:
            rank = next((r for r in RANKS if r >= adapter), None)
            if rank is None:
                raise Refused("the adapter has rank %d, vLLM serves %d at most: set max_rank: %d for this evaluator, and parfait factors it anew" % (adapter, RANKS[-1], RANKS[-1]))
            more = ["--enable-lora", "--max-lora-rank", str(rank), "--max-loras", "4"]
            for option in ("--max-lora-rank", "--max-loras"):  # the user's own come first
                if any(a == option or a.startswith(option + "=") for a in o.serve):
                    at = more.index(option)
                    del more[at : at + 2]
        if o.server:
            command = None
        else:
            command = shlex.split(o.vllm) + [self.base, "--served-model-name", SERVED, "--host", "127.0.0.1"] + more + o.serve
        device = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
        key = json.dumps([command or o.server, self.base, os.getcwd(), device])
        if key not in self.servers:
            if self.servers:  # the device has room for one
                for server, _ in self.servers.values():
                    if server.line:
                        server.line.close()
                self.servers.clear()
            short = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in (device, key)]
            place = os.path.join(home(), "-".join(short))
            self.servers[key] = Server(place, command, o.server, o.linger), Guard(place, self.base, self.fixed)
        return self.servers[key]

    def answer(self, q, progress):
        folder = q.get("model")
        if not folder:
            raise Refused("this worker measures what is on disk: leave out `model: false`")
        rank = None
        if is_adapter(folder):
            config = config_of(folder, "adapter_config.json")
            rank = max([config["r"], *(config.get("rank_pattern") or {}).values()])
            if config.get("modules_to_save"):
                raise Refused("the adapter has whole modules (modules_to_save: %s), which vLLM does not serve: leave out `form: adapter`" % ", ".join(config["modules_to_save"][:3]))
        for left in reversed(range(TRIES)):
            server, guard = self.server(rank)
            try:
                server.ready(progress)
                return self.measure(server, guard, q, folder, rank is not None, progress)
            except Died as e:
                if not left or not server.restart():
                    raise Refused("%s: %s" % (e, "%d times in this candidate" % TRIES if server.command else "start it again, with enough memory")) from None
                print("%s: it is started again, and the candidate measured anew" % e, file=sys.stderr)
            except Faulty as e:
                guard.fresh = True
                raise Refused("%s. %s" % (e, "The server is started anew" if server.restart() else "Restart the server")) from None

    def measure(self, server, guard, q, folder, adapter, progress):
        def waits():
            print("another candidate is measured by this server, which holds one folder's weights at a time: `devices` gives each slot its own", file=sys.stderr)

        with locked(guard.path + ".turn", fcntl.LOCK_SH if adapter else fcntl.LOCK_EX, waits):
            guard.begin(server, adapter, progress)
            progress(0, 0, "loading")
            begin, name = time.monotonic(), SERVED
            if adapter:  # a name of its own, which no cache has met
                name = "%s-%s" % (re.sub(r"[^A-Za-z0-9]+", "-", q.get("id") or q["key"]), secrets.token_hex(4))
                server.post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": folder})
            else:
                load(server, folder)
            try:
                hits = None if adapter else server.cached()
                mine = server.fingerprint(name, self.fixed)
                if hits is not None and (server.cached() or 0) > hits:
                    mine["gap"] = math.inf
                guard.compare(server, q["key"], mine, folder, adapter)
                loaded = time.monotonic()
                progress(0, 0, "")
                found = figures(self.evaluate, server.url + "/v1", name, q)
                guard.end(server, q["key"], mine, server.fingerprint(name, self.fixed), adapter)
            except Died:
                raise
            except BaseException:
                if not isinstance(sys.exc_info()[1], Faulty) and not server.alive():
                    raise Died("the vLLM server has ended: %s" % tail(server.place + ".log")) from None
                raise
            finally:
                if adapter:
                    with contextlib.suppress(Refused, Died):
                        server.post("/v1/unload_lora_adapter", {"lora_name": name})
            print("%s: loaded in %.1f s, measured in %.1f s" % (q["key"], loaded - begin, time.monotonic() - loaded), file=sys.stderr)
            return found

    def close(self):
        """The base once more. What is wrong now has been wrong for some of the candidates before."""
        for server, guard in self.servers.values():
            with locked(guard.path + ".turn"), locked(guard.path + ".lock"):
                state = guard.read()
                if state.get("since") and state.get("instance") == server.instance and server.alive():
                    guard.look(server, state, "--enable-lora" in (server.command or ()))


def figures(evaluate, url, name, q):
    """Calls evaluate, with items where they are asked for."""
    args = {"items": q["items"]} if q.get("items") is not None else {}
    parameters = inspect.signature(evaluate).parameters.values()
    if args and not any(p.name == "items" or p.kind == p.VAR_KEYWORD for p in parameters):
        raise Refused("some items only are asked for, and evaluate takes no items")
    found = evaluate(url, name, list(q["tasks"]), q["split"], **args)
    if not isinstance(found, dict):
        raise Refused("evaluate returned %s, expected a dict of task to figure" % type(found).__name__)
    if isinstance(found.get("results"), dict) and "results" not in q["tasks"]:  # lm-eval's, with more than is JSON
        return {k: found[k] for k in ("results", "groups", "group_subtasks", "n-samples") if k in found}
    return found


class LMEval:
    """lm-eval's local-completions against the server."""

    def __init__(self, options):
        self.options = options
        self.names = dict(t.split("=", 1) if "=" in t else (t, t) for t in options.task)

    def __call__(self, url, name, tasks, split):
        o = self.options
        model_args = {"model": name, "base_url": url + "/completions", "tokenizer": os.path.abspath(o.base), "num_concurrent": "32", "max_retries": "3"}
        model_args.update(a.split("=", 1) for a in filter(None, o.model_args.split(",")))
        with tempfile.TemporaryDirectory(prefix="parfait-vllm-") as out:
            command = shlex.split(o.lm_eval) + [
                "--model", "local-completions", "--model_args", ",".join("%s=%s" % a for a in model_args.items()),
                "--tasks", ",".join(dict.fromkeys(self.names.get(t, t) for t in tasks)), "--output_path", out,
            ] + shlex.split(o.lm_args)  # fmt: skip
            print("+ " + shlex.join(command), file=sys.stderr, flush=True)
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, env=dict(os.environ, OPENAI_API_KEY=os.environ.get("OPENAI_API_KEY", "none")))
            except OSError as e:
                raise Refused("%s cannot be started: %s" % (command[0], e)) from None
            if done.returncode:
                raise Refused("lm-eval ended with exit status %d: what it said is in the log" % done.returncode)
            found = glob.glob(os.path.join(out, "**", "results*.json"), recursive=True)
            if len(found) != 1:
                raise Refused("lm-eval left %d files of results, expected one" % len(found))
            with open(found[0], encoding="utf-8") as f:
                return json.load(f)


# --- the protocol -------------------------------------------------------------------------------------------


def plain_json(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError("%r is no figure" % (value,))


def reply(worker, q, progress):
    """What is said of one candidate."""
    try:
        found = worker.answer(q, progress)
        return json.dumps({"key": q["key"], "metrics": found, "model": q["model"]}, default=plain_json)
    except Refused as e:
        return json.dumps({"key": q["key"], "error": str(e)})
    except KeyboardInterrupt:
        raise
    except BaseException as e:  # SystemExit too: it is this candidate's, and not the worker's end
        traceback.print_exc()
        frames = traceback.extract_tb(e.__traceback__)
        last = ([f for f in frames if f.filename != __file__] or frames)[-1]  # what calls worker.py wrongly is elsewhere
        return json.dumps({"key": q["key"], "error": "%s: %s (%s:%d)" % (type(e).__name__, e, os.path.basename(last.filename), last.lineno)})


def take_over():
    """The lines that are read and written here alone: what others print goes to stderr, and they read nothing."""
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdout.flush()
    os.dup2(2, 1)
    return requests, answers


def arguments(argv):
    serve = []
    if "--" in argv:
        at = argv.index("--")
        argv, serve = argv[:at], argv[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="the base's folder")
    parser.add_argument("--vllm", default="vllm serve", help="how the server is started (default: %(default)s); what follows -- goes to it")
    parser.add_argument("--server", metavar="URL", help="a server that runs already, as %s (--served-model-name); nobody else may use it" % SERVED)
    parser.add_argument("--linger", type=float, default=LINGER, metavar="SECONDS", help="how long the server stays when the last worker has gone (default: %(default)s)")
    parser.add_argument("--lm-eval", default="lm_eval", help="how lm-eval is started (default: %(default)s)")
    parser.add_argument("--lm-args", default="", help="more of its command line: '--num_fewshot 5'")
    parser.add_argument("--model-args", default="", help="more of its --model_args: 'max_length=4096'")
    parser.add_argument("--task", action="append", default=[], metavar="NAME=TASK", help="what lm-eval calls a task of the study")
    options = parser.parse_args(argv)
    options.serve = serve
    if options.server:
        options.server = options.server.rstrip("/").removesuffix("/v1")
    return options


def serve(evaluate=None):
    """Measures candidates with evaluate(url, model_name, tasks, split, items=None), or lm-eval, until there are no more."""
    options = arguments(sys.argv[1:])
    if sys.stdin.isatty():
        print("parfait runs this: name it in study.yaml as `main: {worker: [python, %s, %s]}`" % (sys.argv[0], options.base), file=sys.stderr)
    if "PARFAIT_OUT" in os.environ:
        sys.exit("this is a worker: name it in study.yaml as `worker: [python, %s]`, not as `command:`" % sys.argv[0])
    requests, answers = take_over()
    speaking, busy = threading.Lock(), []

    def say(text):
        with speaking:
            answers.write(text + "\n")
            answers.flush()

    def progress(done, total=0, note=""):
        say(json.dumps({"progress": {"done": int(done), "total": int(total), "note": str(note)}}))

    def ended(*_):
        if busy:
            os._exit(128 + signal.SIGTERM)  # between two candidates the requests end, too: the base is looked at, and then

    signal.signal(signal.SIGTERM, ended)
    try:
        worker = Worker(options, evaluate or LMEval(options))
    except (Refused, OSError, ValueError) as e:
        sys.exit("worker.py: %s" % e)
    for line in requests:
        if line.strip():
            busy.append(1)
            said = reply(worker, json.loads(line), progress)
            busy.clear()  # before it is known that there is time for the end
            say(said)
    try:
        worker.close()
    except (Refused, Faulty, Died) as e:
        sys.exit("worker.py: at the end: %s" % e)


def main():
    if sys.argv[1:2] == ["--keeper"]:
        Keeper(*json.loads(sys.argv[2])).run()
    else:
        serve()


if __name__ == "__main__":
    main()
