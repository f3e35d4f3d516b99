# SPDX-License-Identifier: Apache-2.0
"""A network as gpu_eval exports it, run tensor by tensor in float32 and with rounded activations side by side."""
import os
import subprocess
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import ranges

# The result has the source's scale; of a concat, all of its sources have the result's.
MOVES = {"Slice", "Reshape", "Transpose", "DepthToSpace", "Pad", "Gather", "MaxPool", "Concat", "Flatten"}
AVERAGES = {"GlobalAveragePool", "AveragePool"}
LEAST = {"Sigmoid": 0.0, "HardSigmoid": 0.0, "HardSwish": -0.375, "Relu": 0.0, "Elu": -1.0, "Selu": -1.7581}
LEAST_SILU = -0.2785


@dataclass
class Place:
    """A tensor that the int8 network rounds."""
    signed: bool
    group: str  # tensors of one group have one scale and zero point
    bounded: bool = False  # below, by a function: see lower_bounds


@dataclass
class Arm:
    mse: bool
    offset: str  # none, functions, all
    bias: bool

    @property
    def range_name(self):
        return ("mse" if self.mse else "min-max") + (" + bias" if self.bias else "")


def session(model, optimize=False):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    if not optimize:  # else pairs around a layer would become another arithmetic
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def export(gpu_eval, subject, folder, precision):
    path, pixels = os.path.join(folder, precision + ".onnx"), os.path.join(folder, "pixels.npy")
    line = [gpu_eval, "export", "--onnx", path, "--precision", precision] + subject.options
    if precision == "int8":
        np.save(pixels, subject.calibration[:2])
        line += ["--scheme", "maxabs", "--calibration-images", "2", "--data", pixels]
        line = [word for i, word in enumerate(line) if word != "--normalize" and line[i - 1] != "--normalize"]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}: {done.stderr}")
    return onnx.load(path)


class Network:
    def __init__(self, gpu_eval, subject, folder):
        self.float_model = export(gpu_eval, subject, folder, "float32")
        self.graph = self.float_model.graph
        integer = export(gpu_eval, subject, folder, "int8").graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer}
        names = {t.name for t in integer.initializer}
        self.layers = {n.name for n in self.graph.node if n.name + "/weights/quantized" in names}
        self.maker = {n.output[0]: n for n in self.graph.node}
        self.places = self.find_places(integer, bool(np.min(subject.calibration) < 0))
        self.step, self.observed = Steps(self.float_model.opset_import[0].version), {}
        self.last = {name: i for i, n in enumerate(self.graph.node) for name in n.input}
        subject.outputs = [o.name for o in self.graph.output]

    def find_places(self, integer, negative_pixels):
        kinds = {t.name: t.data_type for t in integer.initializer}
        signed = {}
        for node in integer.node:
            if node.op_type != "QuantizeLinear":
                continue
            name = node.input[0]
            if name not in self.maker:  # a cut at 6 that saturation makes in the integer network
                name = name.replace("/relu/output", "/relu6/output")
            if name not in self.maker:
                raise RuntimeError(f"{node.name} rounds {name}, which the float32 network does not have")
            signed[name] = kinds[node.input[2]] == TensorProto.INT8
            if self.graph.input[0].name in self.maker[name].input:  # of an array it does not know, of pictures it does
                signed[name] = negative_pixels
        bounds, groups = self.lower_bounds(), self.groups(signed)
        places = {name: Place(is_signed, groups[name], name in bounds) for name, is_signed in signed.items()}
        loose = {place.group for place in places.values() if not place.bounded}
        for place in places.values():
            place.bounded = place.group not in loose
        return places

    def groups(self, places):
        parent = {name: name for name in self.maker}

        def root(name):
            while parent[name] != name:
                name = parent[name]
            return name

        for node in self.graph.node:
            if node.op_type in MOVES:
                for source in node.input:
                    if source in places:
                        parent[root(source)] = root(node.output[0])
        return {name: root(name) for name in places}

    def lower_bounds(self):
        """Tensors whose values have a lower bound close to zero, whatever the pixels."""
        known = {}
        for node in self.graph.node:
            inputs = [known.get(name) for name in node.input if name not in self.constants]
            low = LEAST.get(node.op_type)
            if node.op_type == "Mul" and len(inputs) == 2:
                low = self.product_bound(node, inputs)
            elif node.op_type in MOVES | AVERAGES and inputs and None not in inputs:
                low = min(inputs)
            elif node.op_type == "Clip":
                low = float(self.constants[node.input[1]])
            if low is not None:
                known[node.output[0]] = min(low, 0.0)
        return known

    def product_bound(self, node, bounds):
        makers = [self.maker.get(name) for name in node.input]
        for i in (0, 1):
            gate, other = makers[1 - i], node.input[i]
            if gate is not None and gate.op_type in ("Sigmoid", "HardSigmoid"):
                return LEAST_SILU if other in gate.input else bounds[i]
        return None

    def forget(self, i, *values):
        """Drops the tensors that no node behind the i-th reads."""
        for name in self.graph.node[i].input:
            for each in values if self.last[name] == i else ():
                each.pop(name, None)

    def run(self, model, images, batch=2):
        loaded = session(model)
        name = self.graph.input[0].name
        parts = [loaded.run(None, {name: images[i:i + batch]}) for i in range(0, len(images), batch)]
        return [np.concatenate(each) for each in zip(*parts)]


def rounded_weights(node, weights):
    """int8 with one scale an output channel, in real units again."""
    transposed = node.op_type == "Gemm" and not any(a.name == "transB" and a.i for a in node.attribute)
    axes = (0,) if transposed or node.op_type == "MatMul" else tuple(range(1, weights.ndim))
    scale = np.maximum(np.abs(weights).max(axes, keepdims=True), 1e-12) / 127
    return (np.clip(np.rint(weights / scale), -127, 127) * scale).astype(np.float32)


class Steps:
    """Runs one node at a time."""

    def __init__(self, opset):
        self.opset = opset

    def __call__(self, node, values, constants):
        wanted = [name for name in dict.fromkeys(node.input) if name]
        data = [name for name in wanted if name not in constants]
        graph = helper.make_graph(
            [node], "step", [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in data],
            [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)],
            [numpy_helper.from_array(constants[name], name) for name in wanted if name in constants])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        return session(model).run(None, {name: values[name] for name in data})[0]


def simulate(network, images, arm):
    """The network with rounded weights and activations, its ranges (and biases) found on `images`."""
    constants, limits = dict(network.constants), group_limits(network, images, arm)
    codes = {name: limits[place.group] for name, place in network.places.items()}
    for node in network.graph.node:
        if node.name in network.layers:
            constants[node.input[1]] = rounded_weights(node, network.constants[node.input[1]])
    if arm.bias:
        correct_biases(network, images, constants, codes)
    return with_pairs(network, constants, codes)


def correct_biases(network, images, constants, codes):
    exact, rounded = ({network.graph.input[0].name: images} for _ in range(2))
    for i, node in enumerate(network.graph.node):
        out = node.output[0]
        exact[out] = network.step(node, exact, network.constants)
        rounded[out] = network.step(node, rounded, constants)
        if node.name in network.layers:
            axes = (0, 2, 3) if exact[out].ndim == 4 else (0,)
            shift = np.mean(exact[out] - rounded[out], axes, dtype=np.float64)
            constants[node.input[2]] = (network.constants[node.input[2]] + shift).astype(np.float32)
            rounded[out] += shift.reshape((1, -1) + (1,) * (exact[out].ndim - 2)).astype(np.float32)
        if out in codes:
            rounded[out] = codes[out].apply(rounded[out])
        network.forget(i, exact, rounded)


def observe(network, images):
    """What every group's tensors hold in float32."""
    observed, values = {}, {network.graph.input[0].name: images}
    for i, node in enumerate(network.graph.node):
        out = node.output[0]
        values[out] = network.step(node, values, network.constants)
        if out in network.places:
            observed.setdefault(network.places[out].group, ranges.Observed()).add(values[out])
        network.forget(i, values)
    return observed


def group_limits(network, images, arm):
    """Scale and zero point of every group."""
    network.observed = network.observed or observe(network, images)
    result = {}
    for place in network.places.values():
        offset = place.signed and (arm.offset == "all" or (arm.offset == "functions" and place.bounded))
        if place.group not in result:
            result[place.group] = network.observed[place.group].codes(place.signed, offset, arm.mse)
    return result


def with_pairs(network, constants, codes):
    model = onnx.ModelProto()
    model.CopyFrom(network.float_model)
    graph = model.graph
    nodes = list(graph.node)
    outputs = {o.name for o in graph.output}
    del graph.node[:], graph.initializer[:]
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(value, name))
    renamed = {}
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for i, name in enumerate(copy.input):
            copy.input[i] = renamed.get(name, name)
        graph.node.append(copy)
        out = node.output[0]
        if out not in codes or out in outputs:
            continue
        scale, zero = out + " scale", out + " zero"
        graph.initializer.append(numpy_helper.from_array(np.float32(codes[out].scale), scale))
        graph.initializer.append(numpy_helper.from_array(codes[out].zero_point(), zero))
        graph.node.append(helper.make_node("QuantizeLinear", [out, scale, zero], [out + " q"]))
        graph.node.append(helper.make_node("DequantizeLinear", [out + " q", scale, zero], [out + " dq"]))
        renamed[out] = out + " dq"
    return model
