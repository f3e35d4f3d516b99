#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the gpu_eval program's float32 logits with Keras's, for weight files of every generation.

  make_model_goldens.py oracle CACHE_FOLDER
  check_oracle.py build/gpu_eval CACHE_FOLDER [--models vgg16,xception] [--files published.h5,keras3.keras]

Prints one line a file; exit code 1 if a relative error (norm of the difference over the norm) exceeds 1e-4.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

LIMIT = 1e-4
# tf-keras's .weights.h5 has no layer names, so gpu_eval takes the current ResNet50, as its documentation says.
AMBIGUOUS = {("resnet50_published", "tf_keras.weights.h5")}


def run(binary, entry, weights, images, out):
    command = [binary, "--model", entry["model"], "--weights", str(weights), "--data", str(images),
               "--precision", "float32", "--mode", "accuracy", "--device", "cpu", "--save-logits", str(out)]
    if entry["model"] == "mobilenet":
        command += ["--alpha", str(entry["alpha"])]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1:] if done.returncode else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--models", default="", help="comma-separated folders of the cache; default: all")
    parser.add_argument("--files", default="", help="comma-separated file names; default: all")
    options = parser.parse_args()
    manifest = json.loads((options.folder / "manifest.json").read_text())
    failures = checked = 0
    for network in options.models.split(",") if options.models else manifest:
        entry = manifest[network]
        expected = np.load(options.folder / network / "logits.npy")
        for name in options.files.split(",") if options.files else entry["files"]:
            if name not in entry["files"] or (network, name) in AMBIGUOUS:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                out = pathlib.Path(scratch) / "logits.npy"
                problem = run(options.binary, entry, options.folder / network / name, options.folder / "images.pkl", out)
                if problem:
                    verdict, good = problem[0], False
                else:
                    logits = np.load(out)
                    error = np.linalg.norm(logits - expected) / np.linalg.norm(expected)
                    verdict, good = f"relative error {error:.1e}", bool(error <= LIMIT)
            checked += 1
            failures += not good
            print(f"{'ok    ' if good else 'FAILED'} {network:20} {name:22} {verdict}", flush=True)
    print(f"{checked} files, {failures} failed")
    return 1 if failures or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
