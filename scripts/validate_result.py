#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks files that gpu_eval --json wrote against their schema in docs/: the field `kind` tells a table or a sensitivity
from the result of a measurement. Needs python3-jsonschema. Exit code 1 and a line for each file that does not match."""
import json
import os
import sys

import jsonschema

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def with_references(schema, change):
    if isinstance(schema, list):
        return [with_references(item, change) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: change(value) if key == "$ref" else with_references(value, change) for key, value in schema.items()}


def bundled(kind):
    """The kind's schema with result-schema.json, to which it refers, inside: nothing needs to be looked up elsewhere."""
    result = load(os.path.join(DOCS, "result-schema.json"))
    if kind == "result":
        return result
    schema = load(os.path.join(DOCS, f"{kind}-schema.json"))
    schema = with_references(schema, lambda ref: ref.replace("result-schema.json#", "#/$defs/result").replace(
        "result-schema.json", "#/$defs/result"))
    del result["$schema"]
    schema.setdefault("$defs", {})["result"] = with_references(result, lambda ref: ref.replace("#/", "#/$defs/result/"))
    return schema


def contradictions(value, path="the top"):
    """Of `valid` and `verdict`, wherever a result has both."""
    if isinstance(value, dict):
        verdict = value.get("verdict")
        if verdict is not None and value.get("valid") is not (verdict != "INVALID"):
            yield f"{path}: valid is {value.get('valid')} and verdict {verdict}"
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, item in items:
        yield from contradictions(item, str(key) if path == "the top" else f"{path}/{key}")


def main():
    failed = False
    for path in sys.argv[1:]:
        result = load(path)
        schema = bundled(result.get("kind", "result"))
        error = next(jsonschema.validators.validator_for(schema)(schema).iter_errors(result), None)
        if error is not None:
            print(f"{path}: at {'/'.join(map(str, error.absolute_path)) or 'the top'}: {error.message[:200]}")
            failed = True
        for text in contradictions(result):
            print(f"{path}: at {text}")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
