#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Length of the main loop of every tensor-core kernel in object files or libraries, against a list of limits.

    scripts/check_loops.py build/cuda/libgpueval_gpu.a [--limits FILE]

The main loop is the longest of the innermost loops with products (IMMA, IGMMA), code moved out of line included. What it holds beside products and
their loads is issue slots that the tensor cores do not get, and nothing else tells when a compiler or a change adds some.
Asynchronous products (IGMMA) come at least four together: more WARPGROUP instructions (a fence before, a wait behind) than that
are waits that ptxas had to put in.
A line of --limits is "REGEX INSTRUCTIONS" (reason behind #), the regular expression found in the kernel as printed.
Reads the machine code that nvcc embeds, as check_spills.py does, so it needs no CUDA tool and no GPU. Exit code 0: fine;
1: a longer loop, or a limit that matches no kernel; 2: usage.
"""
import argparse
import re
import struct
import sys

import check_spills

# The low 12 bits of a 16-byte instruction of sm_75 and later; bits 12 to 15 are the predicate, 7 if there is none.
BRANCH, EXIT = 0x947, 0x94d
ALWAYS = 7
COUNTED = {"IMMA": 0x237, "IGMMA": 0x9f1, "WARPGROUP": 0x9c5, "LDSM": 0x83b, "LDGSTS": 0xfae, "BAR": 0xb1d}
PRODUCTS = {COUNTED["IMMA"], COUNTED["IGMMA"]}


def opcodes(code):
    return [low & 0xfff for low, _ in struct.iter_unpack("<QQ", code)]


def branches(code, capability):
    """from -> to of every relative branch, as indices of instructions."""
    found = {}
    for at, (low, high) in enumerate(struct.iter_unpack("<QQ", code)):
        if low & 0xfff == BRANCH:
            distance = low >> 34 | (high & 0x3ffff) << 30
            distance -= (distance >> 47) << 48
            if capability >= 90:  # the low byte has moved
                distance = distance << 8 | low >> 16 & 0xff
            found[at] = at + 1 + distance // 4
    return found


def natural_loops(code, capability):
    """The instructions of every loop: those that reach a branch back without passing its target, wherever they lie."""
    words, jumps = list(struct.iter_unpack("<QQ", code)), branches(code, capability)
    before = [[] for _ in words]
    for at, (low, _) in enumerate(words):
        ends = low & 0xfff in (BRANCH, EXIT) and low >> 12 & 0xf == ALWAYS
        for to in ([] if ends else [at + 1]) + ([jumps[at]] if at in jumps else []):
            if 0 <= to < len(words):
                before[to].append(at)
    loops = {}
    for at, to in jumps.items():
        if to > at:
            continue
        inside, work = loops.setdefault(to, {to}), [at]
        while work:
            if (i := work.pop()) not in inside:
                inside.add(i)
                work += before[i]
    return loops.values()


def main_loop(code, capability):
    """The instructions of the longest innermost loop with products, in order; none without products."""
    found = opcodes(code)
    loops = [loop for loop in natural_loops(code, capability) if any(found[i] in PRODUCTS for i in loop)]
    inner = [loop for loop in loops if not any(other < loop for other in loops)]
    return [found[i] for i in sorted(max(inner, key=len, default=set()))]


def label_of(name, plain):
    """conv_s8_mma_128x128x64 conv_mma<Row, false, true>"""
    row = check_spills.source_of(name).removesuffix(".cu")
    kernel = plain.removeprefix("void ").replace("(anonymous namespace)::", "").replace("gpueval::gpu::", "")
    return f"{row} {kernel.split('(')[0]}".strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--limits")
    options = parser.parse_args()

    kernels = []
    for path in options.files:
        with open(path, "rb") as file:
            data = file.read()
        for capability, image in check_spills.device_images(data):
            kernels += [(name, capability, use) for name, use in check_spills.kernels_of(image).items()]
    plain = check_spills.demangled(sorted({name for name, _, _ in kernels}))
    limits, matched, wrong, rows = check_spills.read_allowances(options.limits), set(), [], []
    for name, capability, use in kernels:
        inside = main_loop(use["code"], capability)
        if not inside:
            continue
        label = label_of(name, plain[name])
        rows.append((label, capability, len(inside), [inside.count(code) for code in COUNTED.values()], use["registers"]))
        if (waits := inside.count(COUNTED["WARPGROUP"])) * 2 > (together := inside.count(COUNTED["IGMMA"])):
            wrong.append(f"{label} (sm_{capability}): {waits} fences and waits for {together} asynchronous products")
        for text, rule, limit in limits:
            if rule.search(label):
                matched.add(text)
                if len(inside) > limit:
                    wrong.append(f"{label} (sm_{capability}): {len(inside)} instructions in the main loop, at most {limit}")
    print(f"{'sm':>3} {'loop':>5} {' '.join(f'{name:>9}' for name in COUNTED)} {'registers':>9}  kernel")
    for label, capability, length, counts, registers in sorted(rows):
        print(f"{capability:>3} {length:>5} {' '.join(f'{count:>9}' for count in counts)} {registers:>9}  {label}")
    wrong += [f"{options.limits}: no kernel's main loop matches '{text}'" for text, _, _ in limits if text not in matched]
    for line in wrong:
        print(f"check_loops.py: {line}", file=sys.stderr)
    print(f"{len(rows)} main loops, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
