#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gpu_eval next to ONNX Runtime, OpenVINO, PyTorch and oneDNN: the nine networks, float32 and int8, on this CPU.

    bench/peers/speed_peers.py --gpu-eval build/gpu_eval --output bench/results/NAME [--networks vgg16,FILE.keras]

Makes a virtual environment from PyPI (requirements.txt) and the networks' ONNX and int8 files where they are missing, then
measures cell by cell (network, batch, threads). In a cell every program waits in a process of its own, blocked, while
another one runs; they take turns for several rounds in shuffled order. Writes OUTPUT/speed.json after every cell and
OUTPUT/speed.md from it. Cells that the file holds already, measured by the same binary with the same options, are not
measured again. Exit code 75: --time-limit has passed and cells are left; start it again.
"""
import argparse
import array
import datetime
import hashlib
import json
import os
import random
import subprocess
import sys
import time

from speed_stats import markdown
from speed_subjects import (
    DATA, HERE, SEVERAL_REQUESTS, SUBJECTS, TASKS, SubjectError, is_file, label, model_words, start)

NETWORKS = ("vgg16", "resnet50", "inceptionv3", "xception", "mobilenet_1.0", "mobilenet_0.75", "mobilenet_0.5",
            "mobilenet_0.25", "squeezenet")
IMAGES, SIDES = 16, {"inceptionv3": 299, "xception": 299, "squeezenet": 227}
UNFINISHED = 75
MADE_FROM_ONNX = {"ort_int8": ".ort_int8.onnx", "openvino_int8": ".openvino_int8.xml"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def write_atomically(path, text):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".tmp", path)


def run(words):
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SubjectError(f"{' '.join(words)}: exit code {done.returncode}: {last}")


def make_environment(venv):
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(python):
        say(f"making the virtual environment {venv}")
        run([sys.executable, "-m", "venv", venv])
        run([python, "-m", "pip", "install", "--quiet", "-r", os.path.join(HERE, "requirements.txt")])
    return python


def images(network, folder):
    """A file of IMAGES images of noise, of face_mask_ssd of photographs: every program gets the same."""
    side = TASKS[network][1] if network in TASKS else SIDES.get(network, 224)
    if network == "face_mask_ssd":
        return photographs(os.path.join(folder, f"photographs_{side}.f32"), side)
    path = os.path.join(folder, f"noise_{side}.f32")
    if not os.path.exists(path):
        generator = random.Random(7)
        values = array.array("f", (generator.random() * 2 - 1 for _ in range(IMAGES * side * side * 3)))
        with open(path + ".tmp", "wb") as file:
            values.tofile(file)
        os.replace(path + ".tmp", path)
    return path


def photographs(path, side):
    """In the order of their names, R, G, B / 255; needs OpenCV and numpy in this Python."""
    if not os.path.exists(path):
        import cv2
        import numpy
        pictures = os.path.join(DATA, "detection", "JPEGImages")
        with open(path + ".tmp", "wb") as file:
            for name in sorted(os.listdir(pictures))[:IMAGES]:
                picture = cv2.resize(cv2.imread(os.path.join(pictures, name))[..., ::-1], (side, side))
                file.write((picture.astype(numpy.float32) / numpy.float32(255)).tobytes())
        os.replace(path + ".tmp", path)
    return path


def with_suppression(network, source, target, options):
    """A detector's ONNX with decoding and suppression behind it."""
    priors, threshold = TASKS[network][2]
    path = os.path.join(HERE, "..", "..", "models", "priors", priors + ".json")
    run([os.path.join(options.venv, "bin", "python"), os.path.join(HERE, "detector_onnx.py"), path, source, target,
         str(threshold)])


def prepare(network, options):
    """{subject: model file}; makes what is not in the cache."""
    folder = os.path.join(options.cache, "models")
    os.makedirs(folder, exist_ok=True)
    source = os.path.join(folder, label(network) + ".onnx")
    if not os.path.exists(source):
        say(f"exporting {network}")
        part = os.path.join(folder, label(network) + ".part.onnx")
        run([options.gpu_eval, "export", "--onnx", part, *model_words(network)])
        os.replace(part, source)
    files = dict.fromkeys(("ort_float32", "openvino_float32", "openvino_tp_float32", "torch_float32"), source)
    files["images"] = images(network, folder)
    for subject, suffix in MADE_FROM_ONNX.items():
        files[subject] = os.path.join(folder, label(network) + suffix)
        if not os.path.exists(files[subject] + ".done"):
            say(f"making {files[subject]}")
            detector = network in TASKS and TASKS[network][2] is not None
            base = source
            if detector and subject == "openvino_int8":  # NNCF is told to leave it alone
                base = source + ".detects.onnx"
                with_suppression(network, source, base, options)
            run([os.path.join(options.venv, "bin", "python"), os.path.join(HERE, "peer_models.py"), subject, base,
                 files[subject]])
            if detector and subject == "ort_int8":
                with_suppression(network, files[subject], files[subject], options)
            write_atomically(files[subject] + ".done", "")  # OpenVINO writes two files: the mark says that both are whole
    files["openvino_tp_int8"] = files["openvino_int8"]
    if network in TASKS and TASKS[network][2] is not None:
        for subject in ("ort_float32", "openvino_float32", "openvino_tp_float32"):
            files[subject] = source + ".detects.onnx"
    return files


def steal_ticks():
    with open("/proc/stat", encoding="utf-8") as file:
        values = [int(word) for word in file.readline().split()[1:]]
    return values[7], sum(values)


def correlation(found, expected):
    """Of two lists of logits; a program that computes another network is far from 1."""
    mean_f, mean_e = sum(found) / len(found), sum(expected) / len(expected)
    products = [sum((a - ma) * (b - mb) for a, b in zip(x, y)) for x, y, ma, mb in (
        (found, expected, mean_f, mean_e), (found, found, mean_f, mean_f), (expected, expected, mean_e, mean_e))]
    return products[0] / ((products[1] * products[2]) ** 0.5 or 1)


def check_logits(workers, notes):
    """Every program computes the network that ONNX Runtime's float32 computes, as far as its precision goes."""
    logits = {s: w.first["logits"] for s, w in workers.items() if "logits" in w.first}
    reference = logits.get("ort_float32")
    for subject, values in logits.items():
        if reference is None:
            continue
        notes[subject]["correlation_with_ort_float32"] = round(correlation(values, reference), 6)
        least = 0.5 if subject.endswith("int8") else 0.9999
        if not notes[subject]["correlation_with_ort_float32"] >= least:
            raise SubjectError(f"{subject}: its logits correlate by {notes[subject]['correlation_with_ort_float32']} with "
                               f"ONNX Runtime's float32 ones, expected at least {least}")


def measure_cell(network, batch, threads, options):
    files = prepare(network, options)
    workers = {}
    begin, before = time.monotonic(), steal_ticks()
    try:
        for subject in options.subjects:
            if threads == 1 and subject in SEVERAL_REQUESTS:
                continue
            started = time.monotonic()
            workers[subject] = start(subject, options, files, network, batch, threads)
            workers[subject].first["ready"]["loading_seconds"] = round(time.monotonic() - started, 1)
        notes = {subject: worker.first["ready"] for subject, worker in workers.items()}
        check_logits(workers, notes)
        loaded = time.monotonic()
        generator = random.Random(f"{options.seed} {network} {batch} {threads}")
        rates, p50 = ({subject: [] for subject in workers} for _ in range(2))
        for _ in range(options.rounds):
            order = list(workers)
            generator.shuffle(order)
            for subject in order:
                rate, ms = workers[subject].turn(options.seconds, options.warm_up)
                rates[subject].append(rate)
                p50[subject].append(sorted(ms)[len(ms) // 2])
    finally:
        for worker in workers.values():
            worker.close()
    after = steal_ticks()
    return {"network": label(network), "batch": batch, "threads": threads, "rates": rates, "p50_ms": p50, "notes": notes,
            "settings": settings(options), "loading_seconds": round(loaded - begin, 1),
            "measuring_seconds": round(time.monotonic() - loaded, 1),
            "stolen_percent": round(100 * (after[0] - before[0]) / max(1, after[1] - before[1]), 2),
            "time": datetime.datetime.now().isoformat(timespec="seconds")}


def settings(options):
    return {"binary": options.binary_hash, "subjects": sorted(options.subjects), "rounds": options.rounds,
            "seconds": options.seconds, "warm_up": options.warm_up, "seed": options.seed}


def environment(options):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        info = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].replace("\t", "").splitlines() if ":" in line)
    flags = info.get("flags", "").split()
    wanted = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16")
    version = subprocess.run([options.gpu_eval, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {"cpu": info.get("model name", "").strip(), "cores": len(os.sched_getaffinity(0)),
            "isa": [flag for flag in wanted if flag in flags], "gpu_eval": version,
            "load_average": list(os.getloadavg())}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = os.path.join(os.environ.get("GPUEVAL_CACHE", os.path.expanduser("~/.cache/gpueval")), "peers")
    words = {"type": lambda text: text.split(",")}
    numbers = {"type": lambda text: [int(word) for word in text.split(",")]}
    parser.add_argument("--gpu-eval", default="build/gpu_eval")
    parser.add_argument("--workers", help="folder of gpu_eval_worker and onednn_worker (default: gpu_eval's)")
    parser.add_argument("--cache", default=cache, help="models lie here (default: %(default)s)")
    parser.add_argument("--venv", help="default: CACHE/venv")
    parser.add_argument("--output", default="bench/results/peers")
    parser.add_argument("--networks", default=list(NETWORKS), **words)
    parser.add_argument("--subjects", default=list(SUBJECTS), **words)
    parser.add_argument("--batches", default=[1, 16], **numbers)
    parser.add_argument("--threads", default=[2, 1], **numbers)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each program in each round, at least")
    parser.add_argument("--warm-up", type=float, default=0.1, help="seconds before them")
    parser.add_argument("--time-limit", type=float, default=0, help="seconds after which no cell is started; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--prepare", action="store_true", help="make environment and models, measure nothing")
    parser.add_argument("--report", action="store_true", help="only write speed.md from speed.json")
    options = parser.parse_args()
    built_in = [network for network in options.networks if not is_file(network)]
    for found, known in ((built_in, (*NETWORKS, *TASKS)), (options.subjects, SUBJECTS)):
        unknown = [word for word in found if word not in known]
        if unknown:
            parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if any(batch not in (1, 2, 4, 8, 16) for batch in options.batches):
        parser.error(f"--batches: expected divisors of {IMAGES}, found {', '.join(map(str, options.batches))}")
    options.venv = options.venv or os.path.join(options.cache, "venv")
    options.workers = options.workers or os.path.dirname(os.path.abspath(options.gpu_eval))
    return options


def measure(options, result, path):
    """True when every cell is there."""
    begin = time.monotonic()
    for threads in options.threads:
        for network in options.networks:
            for batch in options.batches:
                key = f"{label(network)}/b{batch}/t{threads}"
                if result["cells"].get(key, {}).get("settings") == settings(options):
                    continue
                if options.time_limit and time.monotonic() - begin > options.time_limit:
                    return False
                result["cells"][key] = cell = measure_cell(network, batch, threads, options)
                result["environment"] = environment(options)
                write_atomically(path, json.dumps(result, indent=1) + "\n")
                rates = ", ".join(f"{subject} {sorted(r)[len(r) // 2]:.1f}" for subject, r in cell["rates"].items())
                say(f"{key}: {rates} (loading {cell['loading_seconds']} s, measuring {cell['measuring_seconds']} s)")
    return True


def main():
    options = parse()
    os.makedirs(options.output, exist_ok=True)
    path, result = os.path.join(options.output, "speed.json"), {"cells": {}}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
    done = True
    if not options.report:
        with open(os.path.join(options.workers, "gpu_eval_worker"), "rb") as file:
            options.binary_hash = hashlib.sha256(file.read()).hexdigest()[:16]
        make_environment(options.venv)
        if options.prepare:
            for network in options.networks:
                prepare(network, options)
            return 0
        done = measure(options, result, path)
    rows = list(dict.fromkeys([*NETWORKS, *(cell["network"] for cell in result["cells"].values())]))
    write_atomically(os.path.join(options.output, "speed.md"), markdown(result, rows))
    return 0 if done else UNFINISHED


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SubjectError as error:
        sys.exit(f"speed_peers.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
