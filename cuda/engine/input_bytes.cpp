// SPDX-License-Identifier: Apache-2.0
#include "cuda/engine/input_bytes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>

#include "core/round_up.h"

namespace gpueval::cuda {
namespace {

constexpr std::int64_t kPixelsAtOnce = std::int64_t{1} << 16;

// A channel's values grow with the byte, evenly but for their rounding.
class Channel {
 public:
  explicit Channel(const std::array<float, 256>& values)
      : values_(values), per_value_(255.0f / (values[255] - values[0])), first_(values[0]) {}

  bool find(float value, std::uint8_t& byte) const {
    const float position = (value - first_) * per_value_;
    if (!(position >= -0.5f && position < 255.5f)) return false;  // also what is no number
    byte = static_cast<std::uint8_t>(position + 0.5f);
    return std::bit_cast<std::uint32_t>(values_[byte]) == std::bit_cast<std::uint32_t>(value);
  }

 private:
  const std::array<float, 256>& values_;
  float per_value_, first_;
};

bool pixels_to_bytes(const float* input, const std::array<Channel, 3>& channels, std::int64_t pixels,
                     std::uint8_t* bytes) {
  for (const float* const end = input + 3 * pixels; input != end; input += 3, bytes += 3) {
    bool found = true;
    for (std::size_t c = 0; c < 3; ++c) found = channels[c].find(input[c], bytes[c]) && found;
    if (!found) return false;
  }
  return true;
}

}  // namespace

bool to_bytes(std::span<const float> input, const PixelTable& table, std::span<std::uint8_t> bytes) {
  const std::array<Channel, 3> channels{Channel(table.values[0]), Channel(table.values[1]), Channel(table.values[2])};
  const std::int64_t pixels = std::ssize(input) / 3, pieces = ceil_div(pixels, kPixelsAtOnce);
  std::atomic<bool> all = true;
#pragma omp parallel for schedule(static) if (pieces > 4)
  for (std::int64_t i = 0; i < pieces; ++i) {
    if (!all.load(std::memory_order_relaxed)) continue;
    const std::int64_t first = i * kPixelsAtOnce;
    if (!pixels_to_bytes(input.data() + 3 * first, channels, std::min(kPixelsAtOnce, pixels - first),
                         bytes.data() + 3 * first))
      all = false;
  }
  return all;
}

bool quantizes_bytes(const Graph& graph) {
  return !graph.is_output(0) && std::all_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    const bool reads = std::find(node.inputs.begin(), node.inputs.end(), 0) != node.inputs.end();
    return !reads || (std::holds_alternative<Quantize>(node.op) && node.type.scale.size() == 1);
  });
}

DeviceView InputBytes::view(Shape shape, int first) const {
  const std::int64_t image = std::int64_t{shape.h} * shape.w * shape.c;
  return {const_cast<std::uint8_t*>(pixels) + first * image, DType::kU8, shape, shape.c};
}

}  // namespace gpueval::cuda
