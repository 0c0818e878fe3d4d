"""What `parfait prepare` makes of task vectors, by numpy's singular values, from the papers' words.

Reads a JSON of {"name", "option", "deltas": [matrix, …], "lefts": …, "rights": …} from stdin and writes the shares of all
models, or the one result, as a JSON of matrices."""

import json
import sys

import numpy as np


def polar(m):
    u, _, v = np.linalg.svd(m, full_matrices=False)
    return u @ v


def tsv(deltas, share):
    n = len(deltas)
    m = min(deltas[0].shape)
    k = int(share * m) if share else m // n
    parts = [np.linalg.svd(d, full_matrices=False) for d in deltas]
    u = polar(np.hstack([p[0][:, :k] for p in parts]))
    v = polar(np.vstack([p[2][:k] for p in parts]))
    return [u[:, i * k : (i + 1) * k] * p[1][:k] @ v[i * k : (i + 1) * k] for i, p in enumerate(parts)]


def iso_c(deltas, _):
    u, s, v = np.linalg.svd(sum(deltas), full_matrices=False)
    return [s.mean() * u @ v]


def iso_cts(deltas, share):
    n, r = len(deltas), min(deltas[0].shape)
    own = round((r - int(share * r)) / n)
    common = r - n * own
    u, s, v = np.linalg.svd(sum(deltas), full_matrices=False)
    us, ss, vs = [u[:, :common]], [s[:common]], [v[:common]]
    for d in deltas:
        rest = d - us[0] @ us[0].T @ d
        a, b, c = np.linalg.svd(rest, full_matrices=False)
        us.append(a[:, :own]), ss.append(b[:own]), vs.append(c[:own])
    return [np.concatenate(ss).mean() * polar(np.hstack(us)) @ polar(np.vstack(vs))]


def knots(deltas, density):
    rank = np.linalg.matrix_rank(np.hstack(deltas), tol=1e-6 * np.linalg.norm(np.hstack(deltas), 2))
    u, s, v = np.linalg.svd(np.hstack(deltas), full_matrices=False)
    basis = u[:, :rank] * s[:rank]
    parts = np.array(np.split(v[:rank], len(deltas), axis=1))
    if density:
        for p in parts:
            keep = int(np.ceil(density * p.size))
            p[np.abs(p) < np.sort(np.abs(p), axis=None)[-keep]] = 0
        sign = np.where(parts.sum(0) >= 0, 1, -1)
        parts = np.where(parts * sign > 0, parts, 0)
        parts = parts / np.maximum((parts != 0).sum(0), 1)
    return [basis @ p for p in parts]


q = json.load(sys.stdin)
ways = {"tsv": tsv, "iso-c": iso_c, "iso-cts": iso_cts, "knots": knots}
print(json.dumps([m.tolist() for m in ways[q["name"]]([np.array(d) for d in q["deltas"]], q["option"])]))
