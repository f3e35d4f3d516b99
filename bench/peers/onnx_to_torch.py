# SPDX-License-Identifier: Apache-2.0
"""gpu_eval's float32 ONNX as a torch module of the same weights: the operators that `gpu_eval export` writes, no others."""
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F


class Op(nn.Module):
    """One node; weights are its parameters."""

    def __init__(self, node, constants):
        super().__init__()
        self.op = node.op_type
        self.attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        self.constants = nn.ParameterList()
        for name in node.input:
            if name in constants:
                values = torch.from_numpy(np.array(constants[name]))
                self.constants.append(nn.Parameter(values, requires_grad=False))
        if self.op == "Clip":
            self.bounds = [float(value) for value in self.constants]
        elif self.op == "Reshape":
            self.shape = [int(value) for value in self.constants[0]]

    def padded(self, x, value=0.0):
        """torch pads both ends of an axis by the same amount: what is beyond that is padded here."""
        top, left, bottom, right = self.attributes.get("pads", [0, 0, 0, 0])
        if top == bottom and left == right:
            return x, (top, left)
        return F.pad(x, (left, right, top, bottom), value=value), (0, 0)

    def pool(self, x):
        kernel, strides = self.attributes["kernel_shape"], self.attributes.get("strides", [1, 1])
        if self.op == "MaxPool":
            x, padding = self.padded(x, float("-inf"))
            return F.max_pool2d(x, kernel, strides, padding)
        pads = self.attributes.get("pads", [0, 0, 0, 0])
        if pads[:2] != pads[2:] or self.attributes.get("count_include_pad", 0):
            raise ValueError(f"AveragePool with pads {pads}: only symmetric ones that are not counted are known")
        return F.avg_pool2d(x, kernel, strides, pads[:2], count_include_pad=False)

    def forward(self, *inputs):
        x = inputs[0]
        if self.op == "Conv":
            x, padding = self.padded(x)
            bias = self.constants[1] if len(self.constants) > 1 else None
            return F.conv2d(x, self.constants[0], bias, self.attributes.get("strides", [1, 1]), padding,
                            groups=self.attributes.get("group", 1))
        if self.op == "Gemm":
            weight = self.constants[0] if self.attributes.get("transB", 0) else self.constants[0].t()
            return F.linear(x, weight, self.constants[1])
        if self.op in ("MaxPool", "AveragePool"):
            return self.pool(x)
        return {"Relu": lambda: F.relu(x), "Clip": lambda: F.hardtanh(x, *self.bounds),
                "Add": lambda: torch.add(*inputs), "Concat": lambda: torch.cat(inputs, self.attributes.get("axis", 1)),
                "GlobalAveragePool": lambda: x.mean((2, 3), keepdim=True), "Flatten": lambda: x.flatten(1),
                "Transpose": lambda: x.permute(self.attributes["perm"]),
                "Reshape": lambda: x.reshape(self.shape)}[self.op]()


def convert(path):
    """A torch.fx.GraphModule: input (N, h, w, 3) float32, as the ONNX file."""
    model = onnx.load(path)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    graph, modules, values = torch.fx.Graph(), nn.ModuleDict(), {}
    values[model.graph.input[0].name] = graph.placeholder("input")
    for index, node in enumerate(model.graph.node):
        name = f"{node.op_type}_{index}"
        modules[name] = Op(node, constants)
        inputs = tuple(values[i] for i in node.input if i in values)
        values[node.output[0]] = graph.call_module(name, inputs)
    graph.output(values[model.graph.output[0].name])
    return torch.fx.GraphModule(modules, graph).eval().to(memory_format=torch.channels_last)
