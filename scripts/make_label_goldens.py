#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes the classes of a picture's pixels from a network's logits, with TensorFlow and OpenCV.

  make_label_goldens.py tests/golden/labels

Logits are brought to the input's size by tf.compat.v1.image.resize (aligned corners, or half-pixel centres), cut to the
part that shows the picture, and brought to its size by cv2.resize (bilinear). tests/task/upsample_test.cpp makes the same
logits from the seed. Pixels whose two best logits are nearer than 1e-4 are stored as 254: rounding decides there.
"""
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import cv2
import numpy as np
import tensorflow as tf
from make_priors_goldens import uniforms

# map h, w, classes; input h, w; part of the input that shows the picture: top, left, height, width; picture h, w
CASES = [
    (5, 5, 2, 33, 33, 0, 0, 33, 25, 50, 38),
    (5, 5, 3, 33, 33, 0, 0, 20, 33, 13, 21),
    (4, 6, 21, 32, 48, 6, 0, 20, 48, 31, 75),
    (9, 9, 4, 9, 9, 0, 0, 9, 9, 17, 5),
    (1, 3, 2, 8, 24, 0, 2, 8, 20, 9, 33),
    (8, 8, 1, 32, 32, 0, 0, 32, 32, 40, 24),
]


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, (mh, mw, c, ih, iw, top, left, h, w, ph, pw) in enumerate(CASES):
        logits = uniforms(500 + i, mh * mw * c, -3, 3).reshape(1, mh, mw, c)
        for aligned in (False, True):
            wide = tf.compat.v1.image.resize_bilinear(logits, (ih, iw), align_corners=aligned,
                                                      half_pixel_centers=not aligned).numpy()[0]
            part = np.ascontiguousarray(wide[top:top + h, left:left + w])
            shown = np.stack([cv2.resize(part[..., k], (pw, ph), interpolation=cv2.INTER_LINEAR) for k in range(c)], -1)
            if c == 1:
                classes = (shown[..., 0] > 0).astype(int)
                near = np.abs(shown[..., 0]) < 1e-4
            else:
                classes = shown.argmax(-1)
                best = np.sort(shown, -1)
                near = best[..., -1] - best[..., -2] < 1e-4
            classes[near] = 254
            rows.append({"case": CASES[i], "seed": 500 + i, "aligned": aligned,
                         "classes": "".join(chr(ord("!") + v) if v != 254 else " " for v in classes.ravel())})
            print(CASES[i], aligned, int(near.sum()))
    (out / "labels.json").write_text(json.dumps(rows, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
