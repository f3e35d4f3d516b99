#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every network of keras.applications, saved by Keras and read back: does float32 agree, what does int8 cost?

    python3 -m venv venv && venv/bin/pip install keras tensorflow tf-keras numpy
    venv/bin/python bench/keras_applications.py --gpu-eval build/gpu_eval --out table.json [--only PATTERN] [--speed]

One network at a time: random weights (varied batch-norm statistics), saved as .keras by Keras 3 and as .h5 by tf-keras,
two pictures through both, eight through int8 maxabs. Files are deleted. What is in --out already is left out, so a run that
was stopped goes on; --speed adds images a second where they are missing. --markdown prints the table of such a file. --save FOLDER only saves the networks there.
"""
import argparse
import json
import os
import re
import subprocess
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SUFFIX = {"keras3": ".keras", "tf-keras": ".h5"}
IN_GRAPH = ("EfficientNet", "ConvNeXt", "MobileNetV3", "RegNet", "ResNetRS")  # take 0 to 255


def constructors(applications):
    found = {name: getattr(applications, name) for name in dir(applications) if name[0].isupper()}
    return {name: make for name, make in found.items() if callable(make)}


def vary(model, numpy, seed):
    random = numpy.random.default_rng(seed)

    def layers(of):
        for layer in of.layers:
            yield from layers(layer) if hasattr(layer, "layers") else [layer]

    for layer in layers(model):
        if type(layer).__name__ == "BatchNormalization":
            ranges = {"gamma": (0.8, 1.2), "beta": (-0.1, 0.1), "moving_mean": (-0.1, 0.1), "moving_variance": (0.8, 1.5)}
            layer.set_weights([random.uniform(*ranges[re.sub(r"[:/].*$", "", weight.name.split("/")[-1])], weight.shape)
                               for weight in layer.weights])
        if type(layer).__name__ == "LayerScale":
            layer.set_weights([random.uniform(0.1, 0.5, layer.weights[0].shape)])


def fit_statistics(model, pictures):
    """Batch norms that fit the pictures: without them the deepest networks multiply a rounding error by 10 each block."""
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    before = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(pictures, training=True)
    for layer, momentum in zip(norms, before):
        layer.momentum = momentum


def run(arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode not in (0, 1, 4):
        raise RuntimeError(done.stderr.strip() or done.stdout.strip())
    if done.stderr.startswith("gpu_eval: error"):
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def measure(name, make, generation, options, folder, fitted=False):
    import numpy
    row = {"network": name, "generation": generation}
    model = make(weights=None)
    vary(model, numpy, 7)
    shape = [224 if extent is None else extent for extent in model.input_shape[1:]]
    pictures = numpy.random.default_rng(3).integers(0, 256, (8, *[extent // 8 + 1 for extent in shape[:2]], 3))
    pictures = numpy.repeat(numpy.repeat(pictures, 8, 1), 8, 2)[:, :shape[0], :shape[1]].astype(numpy.float32)
    if not name.startswith(IN_GRAPH):
        pictures = pictures / 127.5 - 1
    if fitted:
        fit_statistics(model, pictures[:2])
        row["statistics"] = "of the pictures"
    file = os.path.join(folder, name + SUFFIX[generation])
    model.save(file)
    logits_model = make(weights=None, classifier_activation=None)
    logits_model.set_weights(model.get_weights())
    expected = logits_model.predict(pictures[:2], verbose=0)
    row["parameters"] = int(model.count_params())
    del model, logits_model

    data, few, logits = (os.path.join(folder, part) for part in ("eight.npy", "two.npy", "logits.npy"))
    numpy.save(data, pictures)
    numpy.save(few, pictures[:2])
    size = ["--input-size", f"{shape[0]}x{shape[1]}"]
    common = [options.gpu_eval, "--model", file, "--mode", "accuracy", "--save-logits", logits, *size]

    begin = time.time()
    text = run([options.gpu_eval, "inspect", file, *size])
    row["inspect_s"] = round(time.time() - begin, 2)
    kinds = re.compile(r"\s(Conv2D|DepthwiseConv2D|SeparableConv2D|Dense)\s")
    layers = [line for line in text.splitlines() if kinds.search(line)]
    row["layers"] = len(layers)
    row["int8_layers"] = sum(line.rstrip().endswith("int8") for line in layers)
    row["islands"] = sum(line.rstrip().endswith("float32") for line in text.splitlines()) - (row["layers"] - row["int8_layers"])

    run([*common, "--data", few, "--precision", "float32"])
    ours = numpy.load(logits)
    row["relative_error"] = float(numpy.linalg.norm(ours - expected) / numpy.linalg.norm(expected))
    run([*common, "--data", data, "--precision", "float32"])
    exact = numpy.load(logits)
    run([*common, "--data", data, "--precision", "int8", "--scheme", "maxabs"])
    noise = numpy.load(logits) - exact
    row["maxabs_sqnr_db"] = round(float(10 * numpy.log10((exact**2).sum() / (noise**2).sum())), 1)
    return row


def save(name, make, generation, folder):
    """Returns the file and its input's extents."""
    import numpy
    model = make(weights=None)
    vary(model, numpy, 7)
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, name + SUFFIX[generation])
    model.save(file)
    return file, [224 if extent is None else extent for extent in model.input_shape[1:3]]


def measure_speed(name, make, generation, options, folder):
    file, extents = save(name, make, generation, folder)
    result = os.path.join(folder, "speed.json")
    run([options.gpu_eval, "--model", file, "--input-size", "x".join(map(str, extents)), "--normalize", "none", "--mode", "speed",
         "--batch", "1", "--precision", "float32,int8", "--scheme", "maxabs", "--duration", "1", "--json", result])
    with open(result) as source:
        return {measured["precision"] + "_images_per_s": round(measured["speed"]["images_per_second"], 1)
                for measured in json.load(source)["runs"]}


def markdown(rows):
    lines = ["| network | written by | parameters | relative error | int8 layers | in float32 | maxabs SQNR, dB | "
             "float32 images/s | int8 images/s | read in s |", "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        if "error" in row:
            lines.append(f"| {row['network']} | {row['generation']} | | {row['error']} | | | | | | |")
            continue
        lines.append("| {network} | {generation} | {parameters:,} | {relative_error:.1e} | {int8_layers} of {layers} | {islands} | "
                     "{maxabs_sqnr_db} | {f} | {i} | {inspect_s} |".format(
                         **row, f=row.get("float32_images_per_s", ""), i=row.get("int8_images_per_s", "")))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu-eval", default="build/gpu_eval")
    parser.add_argument("--out")
    parser.add_argument("--save", help="a folder")
    parser.add_argument("--only", default="", help="a regular expression of names")
    parser.add_argument("--generation", choices=["keras3", "tf-keras"], action="append")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if not options.out and not options.save:
        parser.error("--out or --save")
    rows = []
    if options.out and os.path.exists(options.out):
        with open(options.out) as source:
            rows = json.load(source)
    if options.markdown:
        print(markdown(rows))
        return
    rows = {(row["network"], row["generation"]): row for row in rows}
    for generation in options.generation or ["keras3", "tf-keras"]:
        if generation == "keras3":
            import keras
        else:
            import tf_keras as keras
        for name, make in constructors(keras.applications).items():
            if not re.search(options.only, name):
                continue
            if options.save:
                save(name, make, generation, options.save)
                continue
            row = rows.get((name, generation), {"error": "not measured"})
            if "error" not in row and (not options.speed or "int8_images_per_s" in row):
                continue
            with tempfile.TemporaryDirectory() as folder:
                try:
                    if "error" in row:
                        row = measure(name, make, generation, options, folder)
                    if row["relative_error"] > 1e-4 and "statistics" not in row:
                        row = measure(name, make, generation, options, folder, fitted=True)
                    if options.speed:
                        row |= measure_speed(name, make, generation, options, folder)
                except Exception as error:  # pylint: disable=broad-except
                    row = {"network": name, "generation": generation, "error": str(error)[:500].replace(folder + "/", "")}
            rows[name, generation] = row
            print(row, flush=True)
            keras.backend.clear_session()
            with open(options.out + ".part", "w") as target:
                json.dump(list(rows.values()), target, indent=1)
            os.replace(options.out + ".part", options.out)


if __name__ == "__main__":
    main()
