# SPDX-License-Identifier: Apache-2.0
"""One program under test in a process of its own: loads a network, then answers the driver line by line.

    speed_worker.py SUBJECT MODEL_FILE IMAGES.f32 BATCH THREADS

Says {"ready": ...} once loaded; then, for each line {"seconds": S, "warm_up": S}, runs the network over and over for so
long and answers {"ms": [latency of each batch ...], "seconds": total, "images": count}. Between the lines it is blocked
on the pipe. An empty line or the end of the input ends it.
"""
import json
import math
import sys
import time

import numpy as np

SLOW_SECONDS = 0.25  # one iteration this long warms nothing up that the next one would notice
IMAGES = 16  # square ones in the file; batches of them take turns


class Subject:
    """step() runs one batch. With several in flight, fill() starts them all and drain() waits for all."""

    requests = (None,)

    def fill(self):
        pass

    def drain(self):
        pass


def timed(subject, seconds, warm_up, last_ms):
    """Time from the end of each batch to the end of the next in ms, and wall seconds. Of several batches in flight only
    whole rounds count: they start together and end together."""
    clock = time.perf_counter
    if last_ms is None or last_ms < SLOW_SECONDS * 1e3:
        begin = clock()
        while True:
            subject.step()
            if clock() - begin >= warm_up:
                break
    subject.drain()
    latencies, begin = [], clock()
    before = begin
    subject.fill()
    while True:
        subject.step()
        now = clock()
        latencies.append((now - before) * 1e3)
        before = now
        if now - begin >= seconds and len(latencies) % len(subject.requests) == 0:
            break
    subject.drain()
    return latencies, now - begin


class OrtSubject(Subject):
    def __init__(self, path, inputs, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.bindings, self.inputs, self.out = [], inputs, []  # the bindings hold bare addresses
        for values in inputs:
            binding = session.io_binding()
            binding.bind_input(session.get_inputs()[0].name, "cpu", 0, np.float32, values.shape, values.ctypes.data)
            for output in session.get_outputs():
                self.bind(binding, output, values.shape[0])
            self.bindings.append(binding)
        self.run = session.run_with_iobinding
        self.notes = {"version": onnxruntime.__version__}
        self.turn = 0

    def bind(self, binding, output, batch):
        shape = [batch, *output.shape[1:]]
        if output.type != "tensor(float)" or not all(isinstance(extent, int) for extent in shape):
            binding.bind_output(output.name, "cpu")  # as many as suppression leaves
            return
        self.out.append(np.empty(shape, np.float32))
        binding.bind_output(output.name, "cpu", 0, np.float32, shape, self.out[-1].ctypes.data)

    def step(self):
        self.run(self.bindings[self.turn % len(self.bindings)])
        self.turn += 1

    def logits(self):
        self.turn = 0
        self.step()
        return self.bindings[0].copy_outputs_to_cpu()[0]


class OpenVinoSubject(Subject):
    """hint LATENCY: one request at a time on one stream, as all others run. THROUGHPUT: as many streams and requests at once
    as OpenVINO asks for."""

    def __init__(self, path, inputs, threads, int8, hint):
        import openvino
        core = openvino.Core()
        # Their default would compute float32 networks in bfloat16 where the CPU has AMX.
        config = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": hint}
        config |= ({} if int8 else {"INFERENCE_PRECISION_HINT": "f32"}) | ({"NUM_STREAMS": 1} if hint == "LATENCY" else {})
        model = core.read_model(path)
        model.reshape(list(inputs[0].shape))
        compiled = core.compile_model(model, "CPU", config)
        count = 1 if hint == "LATENCY" else compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self.requests = [compiled.create_infer_request() for _ in range(count)]
        self.tensors = [openvino.Tensor(values, shared_memory=True) for values in inputs]
        for request, tensor in zip(self.requests, self.tensors * count):
            request.set_input_tensor(tensor)
        self.started, self.turn = [False] * count, 0
        self.notes = {"version": openvino.__version__, "hint": hint, "requests": count, "kernels": self.kernels(compiled),
                      "capabilities": core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")}

    @staticmethod
    def kernels(compiled):
        found = {}
        for node in compiled.get_runtime_model().get_ordered_ops():
            info = node.get_rt_info()
            if "layerType" in info and info["layerType"].astype(str) in ("Convolution", "FullyConnected", "MatMul"):
                name = info["primitiveType"].astype(str)
                found[name] = found.get(name, 0) + 1
        return found

    def step(self):
        if len(self.requests) == 1:
            self.requests[0].set_input_tensor(self.tensors[self.turn % len(self.tensors)])
            self.requests[0].start_async()
            self.requests[0].wait()
        else:
            # The oldest request ends, and starts again at once.
            i = self.turn % len(self.requests)
            if self.started[i]:
                self.requests[i].wait()
            self.requests[i].start_async()
            self.started[i] = True
        self.turn += 1

    def fill(self):
        if len(self.requests) > 1:
            for request in self.requests:
                request.start_async()
            self.started = [True] * len(self.requests)

    def drain(self):
        for i, request in enumerate(self.requests):
            if self.started[i]:
                request.wait()
                self.started[i] = False

    def logits(self):
        self.requests[0].set_input_tensor(self.tensors[0])
        self.requests[0].infer()
        return self.requests[0].get_output_tensor(0).data


class TorchSubject(Subject):
    """torch.compile with frozen weights (oneDNN convolutions on prepacked weights), channels last."""

    def __init__(self, path, inputs, threads):
        import torch
        import torch._inductor.config
        from onnx_to_torch import convert
        torch._inductor.config.freezing = True
        torch.set_num_threads(threads)
        self.inputs, self.turn = [torch.from_numpy(values) for values in inputs], 0
        self.network, self.mode = torch.compile(convert(path)), torch.no_grad
        self.notes = {"version": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability()}

    def step(self):
        self.out = self.network(self.inputs[self.turn % len(self.inputs)])
        self.turn += 1

    def logits(self):
        self.turn = 0
        self.step()
        return self.out.numpy()


def make(subject, path, inputs, threads):
    if subject.startswith("ort"):
        return OrtSubject(path, inputs, threads)
    if subject.startswith("openvino"):
        hint = "THROUGHPUT" if subject.startswith("openvino_tp") else "LATENCY"
        return OpenVinoSubject(path, inputs, threads, subject.endswith("int8"), hint)
    return TorchSubject(path, inputs, threads)


def read_batches(path, batch):
    pixels = np.fromfile(path, np.float32)
    side = math.isqrt(pixels.size // (3 * IMAGES))
    return list(pixels.reshape(IMAGES // batch, batch, side, side, 3))


def main():
    subject, path, images, batch, threads = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
    reply, sys.stdout = sys.stdout, sys.stderr  # what the libraries print must not lie between the answers
    running = make(subject, path, read_batches(images, batch), threads)

    def turns():
        last_ms = None
        logits = np.array(running.logits())
        # A detector's first output are the places of what suppression left: nothing to correlate.
        floats = {} if logits.dtype != np.float32 else {"logits": logits[0].astype(float).ravel().tolist()}
        yield {"ready": running.notes} | floats
        for line in sys.stdin:
            if not line.strip():
                return
            order = json.loads(line)
            ms, seconds = timed(running, order["seconds"], order["warm_up"], last_ms)
            last_ms = sorted(ms)[len(ms) // 2]
            yield {"ms": ms, "seconds": seconds, "images": len(ms) * batch}

    def answer():
        for message in turns():
            reply.write(json.dumps(message) + "\n")
            reply.flush()

    if hasattr(running, "mode"):
        with running.mode():
            answer()
    else:
        answer()


if __name__ == "__main__":
    main()
