# SPDX-License-Identifier: Apache-2.0
"""The programs under test as speed_peers.py sees them: each in a process of its own, blocked while another one runs."""
import contextlib
import json
import os
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SUBJECTS = ("gpu_eval_float32", "gpu_eval_int8", "openvino_float32", "openvino_int8", "openvino_tp_float32",
            "openvino_tp_int8", "ort_float32", "ort_int8", "torch_float32", "onednn_int8")
# Several requests at once: with one thread that is the same as one request.
SEVERAL_REQUESTS = ("openvino_tp_float32", "openvino_tp_int8")


DATA = os.environ.get("GPUEVAL_DATA", os.path.join(HERE, "..", "..", "..", "shared", "data"))
# Detectors and segmentations: gpu_eval's words, side of the input, of detectors the priors. Random weights find a box
# everywhere: there only scores above .5 count, so that suppression has next to nothing to do.
TASKS = {
    "face_mask_ssd": (["--model", os.path.join(DATA, "detection", "face_mask_ssd_260.h5"), "--priors", "face_mask_260",
                       "--normalize", "unit"], 260, ("face_mask_260", 0.01)),
    "ssd300": (["--model", "ssd300", "--weights", "random", "--score-threshold", "0.5"], 300, ("ssd300_voc", 0.5)),
    "unet": (["--model", "unet", "--weights", "random"], 256, None),
    "deeplab": (["--model", os.path.join(DATA, "segmentation", "deeplabv3_mobilenetv2_050_513.h5"), "--normalize", "tf"],
                513, None),
}


class SubjectError(Exception):
    pass


def is_file(network):
    return network.endswith((".keras", ".h5", ".hdf5"))


def label(network):
    """What tables and cells call it: a file by its name."""
    return os.path.splitext(os.path.basename(network))[0] if is_file(network) else network


def model_words(network):
    """mobilenet_0.25 -> what gpu_eval's command line calls it; a network that Keras saved, by its file."""
    if network in TASKS:
        return TASKS[network][0]
    if is_file(network):
        return ["--model", network, "--input-size", "224x224", "--normalize", "none"]
    name, _, alpha = network.partition("_")
    return ["--model", name, *(["--alpha", alpha] if alpha else []), "--weights", "random"]


def on_cores(threads, words):
    """`words` held to the first `threads` of our cores, so that no program gets more than it was given."""
    def restrict():
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    return {"args": words, "preexec_fn": restrict, "text": True}


class Worker:
    """A process that answers lines: speed_worker.py, gpu_eval_worker or onednn_worker."""

    def __init__(self, subject, words, threads):
        self.subject, self.errors = subject, tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(**on_cores(threads, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors)
        self.first = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["no message"])[-1]
            raise SubjectError(f"{self.subject}: ended with code {self.process.returncode}: {last}")
        return json.loads(line)

    def turn(self, seconds, warm_up):
        """Images per second, latencies in ms."""
        self.process.stdin.write(json.dumps({"seconds": seconds, "warm_up": warm_up}) + "\n")
        self.process.stdin.flush()
        found = self.answer()
        return found["images"] / found["seconds"], found["ms"]

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


def start(subject, options, files, network, batch, threads):
    if subject.startswith("gpu_eval"):
        words = [os.path.join(options.workers, "gpu_eval_worker"), files["images"], *model_words(network),
                 "--device", "cpu", "--precision", (precision := subject.removeprefix("gpu_eval_")),
                 *(["--scheme", "maxabs"] if precision == "int8" else []),
                 "--mode", "speed", "--batch", str(batch), "--threads", str(threads)]
    elif subject.startswith("onednn"):
        words = [os.path.join(options.workers, "onednn_worker"), network, str(batch), str(threads)]
    else:
        words = [os.path.join(options.venv, "bin", "python"), os.path.join(HERE, "speed_worker.py"), subject,
                 files[subject], files["images"], str(batch), str(threads)]
    return Worker(subject, words, threads)
