#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/quant/gptq.txt: error-compensating rounding as the paper has it (with the inverse's Cholesky
factor) and coordinate descent, in numpy. Usage: make_recipe_goldens.py tests/golden/quant/gptq.txt

Each case: "n rows", n lines of H, rows lines of weights, one line of scales, rows lines of integers."""
import sys

import numpy as np

DAMPING, SWEEPS = 0.01, 3


def nearest(x):
    return np.round(np.clip(x, -127, 127))


def gptq(w, h, scale):
    n = len(h)
    damped = h + np.eye(n) * (DAMPING * np.trace(h) / n + 1e-12)
    order = np.argsort(np.diag(h), kind="stable")[::-1]
    inverse = np.linalg.inv(damped[np.ix_(order, order)])
    upper = np.linalg.cholesky(inverse).T  # inverse = upper^T upper
    work, q = w[:, order].copy(), np.zeros_like(w)
    for c in range(n):
        q[:, order[c]] = nearest(work[:, c] / scale)
        error = (work[:, c] - q[:, order[c]] * scale) / upper[c, c]
        work[:, c + 1:] -= error[:, None] * upper[c, c + 1:]
    for _ in range(SWEEPS):
        before = q.copy()
        for c in order:
            gradient = (w - q * scale[:, None]) @ damped[:, c]
            q[:, c] = nearest(q[:, c] + gradient / damped[c, c] / scale)
        if np.array_equal(before, q):
            break
    return q


def error(w, h, scale, q):
    e = w - q * scale[:, None]
    return np.einsum("oi,ij,oj->o", e, h, e)


def case(rng, n, rows, samples, spread):
    x = rng.integers(0, 256, (samples, n)) * rng.uniform(1 - spread, 1, n)
    x = np.round(x + spread * x.mean(1, keepdims=True))
    h = np.cov(x.T, bias=True).reshape(n, n)
    w = rng.normal(0, 0.1, (rows, n))
    scale = np.abs(w).max(1) / 127 * 16  # coarse: so that roundings matter
    q, plain = gptq(w, h, scale), nearest(w / scale[:, None])
    worse = error(w, h, scale, q) > error(w, h, scale, plain)
    return h, w, scale, np.where(worse[:, None], plain, q)


def main():
    rng = np.random.default_rng(7)
    with open(sys.argv[1], "w", encoding="ascii") as out:
        for n, rows, samples, spread in ((1, 3, 50, 0.0), (9, 11, 200, 0.9), (24, 8, 100, 0.5), (40, 5, 20, 0.9)):
            h, w, scale, q = case(rng, n, rows, samples, spread)
            out.write(f"{n} {rows}\n")
            for row in (*h, *w, scale):
                out.write(" ".join(f"{v:.17g}" for v in row) + "\n")
            for row in q:
                out.write(" ".join(str(int(v)) for v in row) + "\n")


if __name__ == "__main__":
    main()
