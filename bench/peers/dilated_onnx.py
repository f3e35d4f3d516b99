# SPDX-License-Identifier: Apache-2.0
"""Dilated convolutions as other tools write them: `gpu_eval export` writes the pictures that it lays out itself (reshapes and
transposes around an ordinary convolution), which would cost other runtimes more than the convolution.

    dilated_onnx.py SOURCE.onnx TARGET.onnx
"""
import sys

import onnx
from onnx import helper, numpy_helper

MOVES = ("Reshape", "Pad", "Transpose")


def fuse(model):
    """Stride 1 and same padding. speed_peers.py compares the outputs with gpu_eval's."""
    graph, count = model.graph, 0
    made = {output: node for node in graph.node for output in node.output}
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def readers(name):
        return [node for node in graph.node if name in node.input]

    def step(name, kinds):
        following = readers(name)
        return following[0] if len(following) == 1 and following[0].op_type in kinds else None

    for conv in [node for node in graph.node if node.op_type == "Conv"]:
        source, rate, kernel = conv.input[0], None, constants[conv.input[1]].shape[2:]
        before = made.get(source)
        while before is not None and before.op_type in MOVES:
            if before.op_type == "Transpose":
                reshape = made.get(before.input[0])
                shape = constants[reshape.input[1]] if reshape is not None and reshape.op_type == "Reshape" else []
                if len(shape) != 6:  # 0, channels, rows, rate, columns, rate
                    break
                rate = [int(shape[3]), int(shape[5])]
                source = reshape.input[0]
                if made.get(source) is not None and made[source].op_type == "Pad":
                    source = made[source].input[0]
                break
            before = made.get(before.input[0])
        if rate is None:
            continue
        kept = conv.output[0]
        activation = step(kept, ("Clip", "Relu"))
        if activation is not None:
            kept = activation.output[0]
        last = kept
        while (node := step(last, (*MOVES, "Slice"))) is not None and node.op_type != "Transpose":
            last = node.output[0]
        last = step(step(last, ("Transpose",)).output[0], ("Reshape",)).output[0]
        while (node := step(last, ("Slice",))) is not None:
            last = node.output[0]
        for node in readers(last):
            node.input[:] = [kept if name == last else name for name in node.input]
        for attribute in [a for a in conv.attribute if a.name in ("pads", "dilations", "auto_pad")]:
            conv.attribute.remove(attribute)
        around = [r * (k - 1) // 2 for r, k in zip(rate, kernel)]
        conv.attribute.extend([helper.make_attribute("dilations", rate), helper.make_attribute("pads", around * 2)])
        conv.input[0] = source
        count += 1
    while True:
        used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
        dead = [node for node in graph.node if not any(name in used for name in node.output)]
        if not dead:
            break
        for node in dead:
            graph.node.remove(node)
    left = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in left]:
        graph.initializer.remove(tensor)
    del graph.value_info[:]
    return model, count


if __name__ == "__main__":
    fused, found = fuse(onnx.load(sys.argv[1]))
    onnx.checker.check_model(fused)
    onnx.save(fused, sys.argv[2])
    print(f"{found} dilated convolutions")
