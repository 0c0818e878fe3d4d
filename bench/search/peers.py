"""Answers one JSON question a line: the peers' side of bench/search.

A question says everything that is known, and an answer depends on it alone: {"of", "hi", "done": [[x, y], ...],
"pending": [x, ...], "n", "seed"}, with coefficients from 0 to hi and values y that are minimised. The answer is
{"xs": [...]}: none where the peer waits for what is pending; or {"error": "..."}.
"""
import json
import sys
import warnings

warnings.filterwarnings("ignore")


def optuna_study(sampler, q):
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=["minimize"] * q["goals"], sampler=sampler(optuna.samplers, q["seed"] * 10007 + len(q["done"])))
    space = {f"x{i}": optuna.distributions.FloatDistribution(0, hi) for i, hi in enumerate(q["hi"])}
    named = lambda x: dict(zip(space, x))
    for x, y in q["done"]:
        study.add_trial(create_trial(params=named(x), distributions=space, values=y))
    for x in q["pending"]:
        study.add_trial(create_trial(params=named(x), distributions=space, state=TrialState.RUNNING))
    xs = []
    for _ in range(q["n"]):
        trial = study.ask(space)
        xs.append([trial.params[name] for name in space])
    return xs


def tpe(q):
    return optuna_study(lambda s, seed: s.TPESampler(seed=seed, constant_liar=True), q)


def gp(q):
    return optuna_study(lambda s, seed: s.GPSampler(seed=seed), q)


def nsga2(q):
    """A population of 20 and four offspring at a time, played again from the beginning."""
    import numpy as np
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem

    algorithm = NSGA2(pop_size=20, n_offsprings=4)
    problem = Problem(n_var=len(q["hi"]), n_obj=q["goals"], xl=np.zeros(len(q["hi"])), xu=np.array(q["hi"]))
    algorithm.setup(problem, termination=("n_gen", 100000), seed=q["seed"] + 1)
    at, done = 0, q["done"]
    while True:
        asked = algorithm.ask()
        xs = asked.get("X")
        if at + len(xs) > len(done):
            return xs[len(done) + len(q["pending"]) - at:][: q["n"]].tolist()
        asked.set("F", np.array([y for _, y in done[at:at + len(xs)]]))
        at += len(xs)
        algorithm.tell(infills=asked)


peers = {"optuna-tpe": tpe, "optuna-gp": gp, "pymoo-nsga2": nsga2}
for line in sys.stdin:
    q = json.loads(line)
    try:
        answer = {"xs": peers[q["of"]](q)}
    except Exception as e:
        answer = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
