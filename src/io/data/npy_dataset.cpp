// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/file_state.h"
#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/bad_image.h"
#include "io/data/npy_header.h"
#include "io/data/npy_labels.h"

namespace gpueval {
namespace {

using RawElement = std::span<const std::uint8_t>;

template <typename T>
T number_at(RawElement raw, std::size_t i, bool big_endian) {
  std::uint8_t bytes[sizeof(T)];
  std::copy_n(raw.begin() + static_cast<std::ptrdiff_t>(i * sizeof(T)), sizeof(T), bytes);
  if (big_endian) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// False: a value that float32 cannot hold.
template <typename T>
bool to_floats(RawElement raw, bool big_endian, std::span<float> dst) {
  for (std::size_t i = 0; i < dst.size(); ++i) {
    const T value = number_at<T>(raw, i, big_endian);
    if (!(std::abs(value) <= T{std::numeric_limits<float>::max()})) return false;
    dst[i] = static_cast<float>(value);
  }
  return true;
}

// One element of N x H x W x C, n = 1.
Shape element_shape(const data::NpyHeader& header, const std::string& path) {
  const auto& shape = header.shape;
  const bool type = (header.kind == 'u' && header.bytes == 1) || (header.kind == 'f' && header.bytes >= 4);
  if (!type) fail("{}: holds {}, expected uint8, float32 or float64", path, header.type());
  if (shape.size() != 4) {
    fail("{}: has shape {}, expected (N, height, width, channels){}", path, header.shape_text(),
         shape.size() == 3 ? "; x[..., None] makes pictures of one channel, x[:, :, None] sequences one pixel wide"
                           : "");
  }
  Shape element;
  int* extents[] = {&element.h, &element.w, &element.c};
  for (std::size_t i = 0; i < 3; ++i) {
    if (shape[i + 1] < 1 || shape[i + 1] > std::numeric_limits<int>::max()) {
      fail("{}: has shape {}, expected elements of at least one value", path, header.shape_text());
    }
    *extents[i] = static_cast<int>(shape[i + 1]);
  }
  if (shape[0] == 0) fail("{}: has shape {}, no element at all", path, header.shape_text());
  return element;
}

class NpyDataset : public Dataset {
 public:
  NpyDataset(const std::string& path, const std::string& labels, LabelUse use, const LabelRules& rules)
      : source_(path), header_(data::read_npy_header(source_)), shape_(element_shape(header_, path)) {
    if (!labels.empty()) {
      labels_ = data::read_array_labels(labels, path, size(), rules, truth_);
    } else if (use == LabelUse::kJudged) {
      fail_usage("{}: holds {} elements without labels; name these with --labels (an .npy of class ids, or one a line)",
                 path, size());
    }
  }
  std::size_t size() const override { return static_cast<std::size_t>(header_.shape[0]); }
  int label(std::size_t index) const override { return labels_.empty() ? -1 : labels_.at(index); }
  bool labelled() const override { return !labels_.empty(); }
  Image decode(std::size_t index) const override { fail("{}: {} is an array, not a picture", path(), name(index)); }
  std::optional<ArrayForm> array() const override { return ArrayForm{shape_, header_.kind == 'u'}; }
  void read(std::size_t index, std::span<float> dst) const override {
    GPUEVAL_CHECK(dst.size() == static_cast<std::size_t>(shape_.elements()), "{} floats for {}", dst.size(),
                  to_string(shape_));
    const std::vector<std::uint8_t> raw = content(index);
    if (header_.kind == 'u') {
      std::copy(raw.begin(), raw.end(), dst.begin());
      return;
    }
    const bool held = header_.bytes == 4 ? to_floats<float>(raw, header_.big_endian, dst)
                                         : to_floats<double>(raw, header_.big_endian, dst);
    if (!held) data::bad_image("{}: {}: holds NaN, infinity or a number beyond float32", path(), name(index));
  }
  std::uint64_t content_bytes(std::size_t) const override {
    return static_cast<std::uint64_t>(shape_.elements()) * header_.bytes;
  }
  std::vector<std::uint8_t> content(std::size_t index) const override {
    GPUEVAL_CHECK(index < size(), "element {} of {}", index, size());
    std::vector<std::uint8_t> bytes(content_bytes(index));
    source_.read(header_.first + index * bytes.size(), bytes);
    return bytes;
  }
  std::string name(std::size_t index) const override { return fmt::format("element {}", index); }
  std::string path() const override { return source_.name(); }
  std::string kind() const override { return "npy"; }
  bool images_are_cropped() const override { return true; }
  GroundTruth ground_truth() const override { return truth_; }
  std::string state() const override { return file_state(path()); }

 private:
  data::FileSource source_;
  data::NpyHeader header_;
  Shape shape_;
  std::vector<int> labels_;
  GroundTruth truth_;
};

}  // namespace

std::unique_ptr<Dataset> open_npy(const std::string& path, const std::string& labels, LabelUse use,
                                  const LabelRules& rules) {
  return std::make_unique<NpyDataset>(path, labels, use, rules);
}

}  // namespace gpueval
