#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses programs and libraries that the dynamic linker would search the current folder for.

    scripts/check_run_paths.py FILE_OR_FOLDER... [--install BUILD] [--least N]

Every element of DT_RUNPATH and DT_RPATH must be absolute or start with $ORIGIN: an empty or a relative one means the folder
that the program is started in, so that a library lying beside somebody's data would be run. --install: also what
`cmake --install BUILD` puts elsewhere. --least: fails if fewer files were found.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile


def elf_files(path):
    if os.path.isfile(path):
        return [path]
    found = []
    for folder, _, names in os.walk(path):
        for name in sorted(names):
            file = os.path.join(folder, name)
            if os.path.islink(file) or name.endswith((".o", ".a", ".planted")):
                continue
            with open(file, "rb") as stream:
                if stream.read(4) == b"\x7fELF":
                    found.append(file)
    return found


def bad_elements(file):
    dynamic = subprocess.run(["readelf", "-dW", file], check=True, capture_output=True, text=True).stdout
    paths = re.findall(r"\((?:RUNPATH|RPATH)\)[^\[]*\[(.*)\]", dynamic)
    elements = [element for path in paths for element in path.split(":")]
    return [e for e in elements if not e.startswith("/") and not re.match(r"\$(ORIGIN|\{ORIGIN\})(/|$)", e)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--install", metavar="BUILD")
    parser.add_argument("--least", type=int, default=1)
    options = parser.parse_args()
    files = [file for path in options.paths for file in elf_files(path)]
    with tempfile.TemporaryDirectory() as prefix:
        if options.install:
            subprocess.run(["cmake", "--install", options.install, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
            files += elf_files(prefix)
        failed = len(files) < options.least
        print(f"{len(files)} programs and libraries" + (f", at least {options.least} expected" if failed else ""))
        for file in files:
            for element in bad_elements(file):
                print(f"{file}: its run path has the element '{element}': the folder it is started in")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
