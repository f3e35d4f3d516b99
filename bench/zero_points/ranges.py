# SPDX-License-Identifier: Apache-2.0
"""Scale and zero point of a tensor, from its values."""
from dataclasses import dataclass

import numpy as np

GRID = (1, .97, .94, .9, .86, .82, .78, .74, .7, .65, .6, .5, .4, .3)  # the recipe's clip search
SAMPLE = 40000


@dataclass
class Codes:
    scale: float
    zero: int
    least: int
    most: int

    def apply(self, x):
        q = np.rint(x * np.float32(1 / self.scale))
        q += np.float32(self.zero)
        np.clip(q, self.least, self.most, out=q)
        q -= np.float32(self.zero)
        return q * np.float32(self.scale)

    def zero_point(self):
        return np.uint8(self.zero) if self.least == 0 else np.int8(self.zero)


def unsigned(low, high):
    """u8; zero is a code, as padding needs."""
    scale = max(high - low, 1e-12) / 255
    return Codes(scale, int(np.clip(np.rint(-low / scale), 0, 255)), 0, 255)


def symmetric(most):
    return Codes(max(most, 1e-12) / 127, 0, -127, 127)


class Observed:
    def __init__(self):
        self.low, self.high, self.parts = 0.0, 0.0, []

    def add(self, values):
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        flat = values.reshape(-1)
        step = max(1, flat.size // SAMPLE) | 1
        self.parts.append(flat[::step].copy())

    def codes(self, signed, offset, mse):
        if not signed:
            return self.best(lambda f: unsigned(0.0, self.high * f), mse)
        if not offset:
            most = max(-self.low, self.high)
            return self.best(lambda f: symmetric(most * f), mse)
        if not mse:
            return unsigned(self.low, self.high)
        low, high = self.low, self.high
        for _ in range(2):  # one end, then the other
            high = self.factor(lambda f: unsigned(low, self.high * f)) * self.high
            low = self.factor(lambda f: unsigned(self.low * f, high)) * self.low
        return unsigned(low, high)

    def best(self, make, mse):
        return make(self.factor(make) if mse else 1)

    def factor(self, make):
        sample = np.concatenate(self.parts)
        errors = [np.mean(np.square(make(f).apply(sample) - sample), dtype=np.float64) for f in GRID]
        return GRID[int(np.argmin(errors))]
