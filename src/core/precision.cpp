// SPDX-License-Identifier: Apache-2.0
#include "gpueval/precision.h"

#include "gpueval/error.h"

namespace gpueval {

std::string to_string(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "float32";
    case Precision::kTf32:
      return "tf32";
    case Precision::kFloat16:
      return "float16";
    case Precision::kInt8:
      return "int8";
  }
  return "";
}

Precision parse_precision(const std::string& name) {
  for (const Precision precision : kPrecisions) {
    if (name == to_string(precision)) return precision;
  }
  fail_usage("precision '{}': expected float32, tf32, float16, int8", name);
}

}  // namespace gpueval
