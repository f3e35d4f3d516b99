// SPDX-License-Identifier: Apache-2.0
#include "io/data/npy_labels.h"

#include <algorithm>
#include <limits>

#include "gpueval/error.h"
#include "io/data/class_ids.h"
#include "io/data/label_list.h"
#include "io/data/npy_header.h"

namespace gpueval::data {
namespace {

// The integer at `bytes`; nullopt where it is negative or beyond a class id.
std::optional<int> class_id(std::span<const std::uint8_t> bytes, const NpyHeader& header) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value = (value << 8) | bytes[header.big_endian ? i : bytes.size() - 1 - i];
  const bool negative = header.kind == 'i' && (value >> (8 * bytes.size() - 1)) != 0;
  if (negative || value > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) return std::nullopt;
  return static_cast<int>(value);
}

std::vector<int> from_npy(const FileSource& file, const std::string& arrays, std::size_t count) {
  const NpyHeader header = read_npy_header(file);
  if (header.kind == 'f') fail("{}: holds {}, expected class ids as integers", file.name(), header.type());
  const auto& shape = header.shape;
  if (shape.empty() || shape[0] != count || shape.size() > 2 || (shape.size() == 2 && shape[1] != 1)) {
    fail("{}: has shape {}, expected ({},) or ({}, 1), a class id for each element of {}", file.name(),
         header.shape_text(), count, count, arrays);
  }
  std::vector<std::uint8_t> bytes(count * header.bytes);
  file.read(header.first, bytes);
  std::vector<int> labels;
  labels.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = class_id(std::span(bytes).subspan(i * header.bytes, header.bytes), header);
    if (!id) fail("{}: element {} is no class id: it is negative or beyond 2147483647", file.name(), i);
    labels.push_back(*id);
  }
  return labels;
}

std::vector<int> from_list(const std::string& path, const std::string& arrays, std::size_t count,
                           const LabelRules& rules) {
  const LabelList list = read_label_list(path, rules);
  if (list.named) {
    fail("{}: line {}: names a picture, but the elements of {} have no names; expected one class id a line", path,
         list.entries.front().line, arrays);
  }
  if (list.entries.size() != count) {
    fail("{}: has {} labels, but {} holds {} elements", path, list.entries.size(), arrays, count);
  }
  std::vector<int> labels;
  for (const ListedLabel& entry : list.entries) labels.push_back(entry.label);
  return labels;
}

}  // namespace

std::vector<int> read_array_labels(const std::string& path, const std::string& arrays, std::size_t count,
                                   const LabelRules& rules, GroundTruth& truth) {
  const FileSource file(path);
  const bool npy = is_npy(file) || path.ends_with(".npy");
  truth.mapping = fmt::format("class ids of {}, {}", path, npy ? "element by element" : "one a line");
  if (!npy) return from_list(path, arrays, count, rules);
  std::vector<int> labels = from_npy(file, arrays, count);
  check_class_ids(path, labels, rules, [](std::size_t i) { return fmt::format("element {}", i); });
  return labels;
}

}  // namespace gpueval::data
