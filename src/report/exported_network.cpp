// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "gpueval/report.h"

namespace gpueval {

std::string to_text(const ExportedNetwork& exported) {
  const InputSpec& input = exported.input;
  std::string text =
      fmt::format("{}: {} {}, {:.1f} MB; input `input` float32 (N, {}, {}, {})", exported.path, exported.network,
                  exported.form, static_cast<double>(exported.bytes) / 1e6, input.height, input.width, input.channels);
  for (const auto& [name, shape] : exported.outputs) {
    text += shape.pixels() == 1 ? fmt::format(", output `{}` (N, {})", name, shape.c)
                                : fmt::format(", output `{}` (N, {}, {}, {})", name, shape.h, shape.w, shape.c);
  }
  return text;
}

}  // namespace gpueval
