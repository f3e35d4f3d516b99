// SPDX-License-Identifier: Apache-2.0
#include "models/demo.h"

#include <fmt/format.h>

#include <array>

#include "core/sha256.h"
#include "gpueval/error.h"
#include "io/weights/read_weights.h"

// GPUEVAL_DEMO_FOLDER: models/demo, from models/flags.cmake.
#define GPUEVAL_EMBED(NAME)                            \
  __asm__(                                             \
      ".section .rodata\n"                             \
      ".global gpueval_" #NAME                         \
      "_begin\n"                                       \
      ".global gpueval_" #NAME                         \
      "_end\n"                                         \
      ".balign 16\n"                                   \
      "gpueval_" #NAME                                 \
      "_begin:\n"                                      \
      ".incbin \"" GPUEVAL_DEMO_FOLDER "/" #NAME       \
      ".h5\"\n"                                        \
      "gpueval_" #NAME                                 \
      "_end:\n"                                        \
      ".byte 0\n"                                      \
      ".previous\n");                                  \
  extern "C" const std::byte gpueval_##NAME##_begin[]; \
  extern "C" const std::byte gpueval_##NAME##_end[];

GPUEVAL_EMBED(demo)
GPUEVAL_EMBED(demo_segmentation)
GPUEVAL_EMBED(demo_detection)

namespace gpueval {
namespace {

struct Embedded {
  const char *model, *file;
  const std::byte *begin, *end;
};
const std::array<Embedded, 3> kEmbedded{{
    {"demo", "demo.h5", gpueval_demo_begin, gpueval_demo_end},
    {"demo-segmentation", "demo_segmentation.h5", gpueval_demo_segmentation_begin, gpueval_demo_segmentation_end},
    {"demo-detection", "demo_detection.h5", gpueval_demo_detection_begin, gpueval_demo_detection_end},
}};

const Embedded* find(const std::string& model) {
  for (const Embedded& row : kEmbedded) {
    if (model == row.model) return &row;
  }
  return nullptr;
}

}  // namespace

bool embeds_weights(const std::string& model) { return find(model) != nullptr; }

std::span<const std::byte> embedded_weights(const std::string& model) {
  const Embedded* row = find(model);
  GPUEVAL_CHECK(row != nullptr, "no weights of {} are embedded", model);
  return {row->begin, static_cast<std::size_t>(row->end - row->begin)};
}

WeightFile read_embedded_weights(const std::string& model) {
  const std::span<const std::byte> bytes = embedded_weights(model);
  WeightFile file = read_weight_bytes(bytes, fmt::format("embedded {}", find(model)->file));
  Sha256 sum;
  sum.update(bytes);
  file.sha256 = sum.hex();
  return file;
}

WeightFile read_demo_weights() { return read_embedded_weights("demo"); }

}  // namespace gpueval
