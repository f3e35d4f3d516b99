#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/layout/keras.txt: Conv2DTranspose of Keras 3 and resizing of TensorFlow, on numbers that
tests/reference/layout_golden_test.cpp makes, too. One case a line: its settings, the result's h and w, its numbers.

Needs keras 3 with the tensorflow backend.
"""
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf


def numbers(*shape):
    """Element i is 7 i mod 11 - 5."""
    return ((np.arange(np.prod(shape)) * 7 % 11) - 5).astype(np.float32).reshape(shape)


def line(words, result):
    result = np.asarray(result)[0]
    return " ".join([*map(str, words), *map(str, result.shape[:2]), *(f"{x:.9g}" for x in result.flatten())])


def transposed(h, w, kernel, strides, padding, output_padding=None):
    layer = keras.layers.Conv2DTranspose(
        2, kernel, strides=strides, padding=padding, output_padding=output_padding, use_bias=False)
    layer.build((None, h, w, 2))
    layer.set_weights([numbers(*kernel, 2, 2)])
    extra = output_padding or (-1, -1)
    return line(["transposed", h, w, *kernel, *strides, padding, *extra], layer(numbers(1, h, w, 2)))


def resized(method, grid, h, w, to_h, to_w):
    x = numbers(1, h, w, 1)
    if grid == "half_pixel":
        result = tf.image.resize(x, (to_h, to_w), method={"linear": "bilinear"}.get(method, method))
    else:
        function = {"linear": tf.compat.v1.image.resize_bilinear,
                    "nearest": tf.compat.v1.image.resize_nearest_neighbor}[method]
        result = function(x, (to_h, to_w), align_corners=grid == "aligned")
    return line([method, grid, h, w], result)


def main():
    lines = []
    for padding in ("same", "valid"):
        for kernel, stride in ((2, 2), (3, 2), (4, 2), (3, 1), (5, 3), (2, 3)):
            lines.append(transposed(2, 3, (kernel, kernel), (stride, stride), padding))
        lines.append(transposed(3, 2, (3, 4), (2, 3), padding))
        lines.append(transposed(3, 2, (3, 3), (2, 2), padding, (1, 1)))
    for method in ("linear", "nearest"):
        for grid in ("half_pixel", "asymmetric", "aligned"):
            for to in ((6, 8), (2, 7), (5, 3)):
                lines.append(resized(method, grid, 3, 4, *to))
    path = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/layout/keras.txt"
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
