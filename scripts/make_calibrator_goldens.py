#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/quant/calibrators.txt: the ranges that the calibration methods must find.

The methods are written here once more, literally and slowly, from their definitions (src/quant/calibrators/*.cpp has
them in words): scipy's relative entropy over explicit distributions, numpy's interpolation of the distribution
function, and the squared error by sampling each bin. Needs numpy and scipy.

    python3 scripts/make_calibrator_goldens.py > tests/golden/quant/calibrators.txt
"""
import numpy as np
from scipy.stats import entropy

MASK = (1 << 64) - 1


class Random:
    """SplitMix64, as src/core/random.h."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def histogram(kind, bins):
    """Counts by integer arithmetic only, so that the test makes the same ones. tests/quant/calibrators_test.cpp."""
    random = Random(bins + len(kind))
    counts = [0] * bins
    if kind == "uniform":
        counts = [1000] * bins
    elif kind == "heavy_tail":  # count ~ 1 / x^2
        counts = [10**9 // (i + 1) ** 2 for i in range(bins)]
    elif kind == "triangle":  # falls linearly to the middle, then thin noise
        counts = [max(3 * (bins // 2 - i), 0) + random.next() % 3 for i in range(bins)]
    elif kind == "one_outlier":
        for i in range(bins // 100):
            counts[i] = 5000 + random.next() % 1000
        counts[-1] = 1
    elif kind == "single_bin":
        counts[-1] = 123456
    elif kind == "two_bins":
        counts[bins // 3] = 1000
        counts[-1] = 1000
    elif kind == "sparse":
        counts = [random.next() % 100000 if random.next() % 10 == 0 else 0 for _ in range(bins)]
        counts[-1] = 1
    elif kind == "cap":  # what ReLU6 leaves: a falling density and a spike at 6
        counts = [200000 * bins // (bins + 20 * i) + random.next() % 50 for i in range(bins)]
        counts[-1] = 40 * bins
    elif kind == "power":  # falls as 1 / x^4: few, far outliers
        counts = [10**12 // (i + 50) ** 4 + random.next() % 2 for i in range(bins)]
        counts[-1] += 1
    return np.array(counts, dtype=np.int64)


KINDS = ["uniform", "heavy_tail", "triangle", "one_outlier", "single_bin", "two_bins", "sparse", "cap", "power"]


def percentile(counts, zeros, maximum, percent):
    edges = np.linspace(0, maximum, len(counts) + 1)
    cdf = zeros + np.concatenate([[0], np.cumsum(counts)])
    wanted = percent / 100 * cdf[-1]
    if zeros >= wanted:
        return maximum
    i = np.searchsorted(cdf, wanted)  # cdf[i - 1] < wanted <= cdf[i]
    return np.interp(wanted, cdf[i - 1 : i + 1], edges[i - 1 : i + 1])


def kl_range(counts, maximum, levels):
    bins = np.add.reduceat(counts, np.arange(0, len(counts), len(counts) // 2048)).astype(np.float64)
    best, best_size = np.inf, len(bins)
    for size in range(len(bins), levels - 1, -1):
        p = bins[:size].copy()
        p[-1] += bins[size:].sum()
        q = np.zeros(size)
        for level in range(levels):
            part = slice(level * size // levels, (level + 1) * size // levels)
            occupied = p[part] > 0
            if occupied.any():
                q[part][occupied] = max(bins[:size][part].sum() / occupied.sum(), 1e-10 * bins.sum())
        divergence = entropy(p, q)  # normalises both
        if divergence < best - 1e-12:
            best, best_size = divergence, size
    return min((best_size + 0.5) * maximum / len(bins), maximum)


SAMPLES = 32


def squared_error(x, weight, clip, levels):
    step = clip / levels
    q = np.minimum(np.rint(x / step), levels)
    return np.sum(weight * (x - step * q) ** 2)


def mse_range(counts, maximum, levels):
    width = maximum / len(counts)
    used = np.nonzero(counts)[0]
    x = ((used[:, None] + (np.arange(SAMPLES) + 0.5) / SAMPLES) * width).ravel()
    weight = np.repeat(counts[used] / SAMPLES, SAMPLES)
    step = maximum / 128
    candidates = maximum - step * np.arange(128)
    best, least = maximum, np.inf
    for _ in range(4):
        for clip in candidates:
            error = squared_error(x, weight, clip, levels)
            if error < least:
                best, least = clip, error
        low, high = max(best - step, 0), min(best + step, maximum)
        step = step / 8
        candidates = [c for c in high - step * np.arange(17) if c > max(low, step / 2) * (1 + 1e-9)]
    return best, least


def main():
    print("# kind bins zeros max dtype checksum: entropy percentile99 percentile99.99 mse mse_error")
    for kind in KINDS:
        for bins in (2048, 8192):
            counts = histogram(kind, bins)
            checksum = int(sum((i + 1) * int(c) for i, c in enumerate(counts)) & MASK)
            zeros = int(counts.sum()) // 3 if bins == 8192 else 0
            maximum = 6.0 if kind == "cap" else 3.25
            for dtype, levels in (("s8", 127), ("u8", 255)):
                clip, error = mse_range(counts, maximum, levels)
                values = [
                    kl_range(counts, maximum, levels + 1),
                    percentile(counts, zeros, maximum, 99),
                    percentile(counts, zeros, maximum, 99.99),
                    clip,
                    error,
                ]
                print(kind, bins, zeros, maximum, dtype, checksum, *(f"{v:.9g}" for v in values))


if __name__ == "__main__":
    main()
