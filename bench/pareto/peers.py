"""Answers one JSON request a line: the peers' side of bench/pareto.

Requests name a file of float64 rows; times are of the computation alone, in seconds.
"""
import json
import sys
import time

import moocore
import numpy as np
import pymoo
from pymoo.algorithms.moo.nsga3 import NSGA3
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.indicators.igd import IGD
from pymoo.optimize import minimize
from pymoo.problems import get_problem
from pymoo.util.ref_dirs import get_reference_directions


def rows(path, m):
    return np.fromfile(path, dtype="<f8").reshape(-1, m)


def timed(f):
    start = time.perf_counter()
    value = f()
    return {"seconds": time.perf_counter() - start, "value": float(value)}


def hypervolume(q):
    points, ref = rows(q["file"], q["m"]), np.array(q["ref"])
    return timed(lambda: moocore.hypervolume(points, ref=ref))


def contributions(q):
    points, ref = rows(q["file"], q["m"]), np.array(q["ref"])
    return timed(lambda: moocore.hv_contributions(points, ref=ref, ignore_dominated=False).sum())


def front(q):
    points = rows(q["file"], q["m"])
    return timed(lambda: moocore.is_nondominated(points).sum())


def indicator(q):
    a, b = rows(q["file"], q["m"]), rows(q["reference"], q["m"])
    return timed(lambda: getattr(moocore, q["name"])(a, ref=b))


def nsga3(q):
    problem = get_problem(q["problem"].lower(), n_var=q["n"], n_obj=q["m"])
    directions = get_reference_directions("das-dennis", q["m"], n_partitions=q["p"])
    algorithm = NSGA3(
        pop_size=q["population"],
        ref_dirs=directions,
        crossover=SBX(eta=q["crossover"], prob=1.0),
        mutation=PM(eta=q["mutation"]),
    )
    start = time.perf_counter()
    result = minimize(problem, algorithm, ("n_gen", q["generations"]), seed=q["seed"])
    seconds = time.perf_counter() - start
    targets = rows(q["targets"], q["m"])
    return {"seconds": seconds, "value": float(IGD(targets)(result.F))}


answers = {f.__name__: f for f in (hypervolume, contributions, front, indicator, nsga3)}
print(json.dumps({"moocore": moocore.__version__, "pymoo": pymoo.__version__}), flush=True)
for line in sys.stdin:
    q = json.loads(line)
    print(json.dumps(answers[q["do"]](q)), flush=True)
