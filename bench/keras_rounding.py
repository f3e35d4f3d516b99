#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is a network's distance from Keras rounding, or a fault? Keras in float32 and gpu_eval beside Keras in float64, block by block.

    venv/bin/python bench/keras_rounding.py --gpu-eval build/gpu_eval ResNetRS152 [ResNetRS200 ...] [--out rounding.json]

Networks of tf-keras with the weights of keras_applications.py, batch norms fitted to the two pictures. A row is a residual add, or
the logits: relative distances from float64 of Keras, of Keras whose pixels were moved by at most 1.2e-7 of themselves, and of
gpu_eval by its own float32 kernels (avx512_vnni) and by oneDNN's (avx2). Rounding grows alike in all of them; a fault is a jump
in gpu_eval's alone.
"""
import argparse
import json
import os
import subprocess
import tempfile

import keras_applications

LEVELS = ("avx2", "avx512_vnni")


def distance(values, exact):
    import numpy
    return float(numpy.linalg.norm(values.reshape(exact.shape) - exact) / numpy.linalg.norm(exact))


def ours(program, model, data, folder, names):
    import numpy
    tensors = {}
    for level in LEVELS:
        out = os.path.join(folder, level)
        subprocess.run([program, "--model", model, "--input-size", "224x224", "--mode", "accuracy", "--precision", "float32",
                        "--data", data, "--save-outputs", out],
                       check=False, stdout=subprocess.DEVNULL, env={**os.environ, "GPUEVAL_CPU_ISA": level})
        tensors[level] = [numpy.load(os.path.join(out, name + ".npy")) for name in names]
    return tensors


def measure(name, program, folder):
    import numpy
    import tf_keras as keras
    make = getattr(keras.applications, name)
    random = numpy.random.default_rng(3)
    pictures = numpy.repeat(numpy.repeat(random.integers(0, 256, (2, 28, 28, 3)), 8, 1), 8, 2).astype(numpy.float32)
    moved = (pictures * (1 + 2.0**-23 * random.uniform(-1, 1, pictures.shape))).astype(numpy.float32)
    data, file = os.path.join(folder, "two.npy"), os.path.join(folder, "blocks.h5")
    numpy.save(data, pictures)

    keras.backend.clear_session()  # names of layers are counted anew
    model = make(weights=None, classifier_activation=None)
    keras_applications.vary(model, numpy, 7)
    keras_applications.fit_statistics(model, pictures)
    names = [layer.name for layer in model.layers if type(layer).__name__ == "Add"] + [model.layers[-1].name]

    def blocks(of):
        return keras.Model(of.input, [of.get_layer(layer).output for layer in names])

    blocks(model).save(file)
    columns = {"keras": blocks(model).predict(pictures, verbose=0), "keras_moved": blocks(model).predict(moved, verbose=0)}
    weights = [array.astype(numpy.float64) for array in model.get_weights()]
    del model
    keras.backend.clear_session()
    keras.backend.set_floatx("float64")
    exact = make(weights=None, classifier_activation=None)
    exact.set_weights(weights)
    exact = blocks(exact).predict(pictures.astype(numpy.float64), verbose=0)
    keras.backend.set_floatx("float32")
    columns.update(ours(program, file, data, folder, names))
    return [{"layer": layer, **{column: distance(values[i], exact[i]) for column, values in columns.items()}}
            for i, layer in enumerate(names)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu-eval", default="build/gpu_eval")
    parser.add_argument("--out")
    parser.add_argument("networks", nargs="+")
    options = parser.parse_args()
    found = {}
    for name in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measure(name, os.path.abspath(options.gpu_eval), folder)
        for row in found[name]:
            print(name, row["layer"], *(f"{column} {value:.1e}" for column, value in row.items() if column != "layer"), flush=True)
        if options.out:
            with open(options.out, "w") as target:  # a row a line
                target.write(json.dumps(found).replace("}, {", "},\n {").replace("]}", "]\n}") + "\n")


if __name__ == "__main__":
    main()
