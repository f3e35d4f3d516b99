// SPDX-License-Identifier: Apache-2.0
#include "io/data/pickle_index.h"

#include <limits>
#include <string_view>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "io/data/pickle_machine.h"
#include "io/data/pickle_opcodes.h"

namespace gpueval::data {
namespace {

constexpr std::uint64_t kMaxImageBytes = std::uint64_t{1} << 28;

bool is_sequence(const Value& value) { return value.kind == Kind::kList || value.kind == Kind::kTuple; }

Value member(const PickleMachine& machine, const ByteSource& source, const Value& root, std::string_view name) {
  if (root.kind != Kind::kDict) {
    fail("{}: expected a pickled dict with 'data' and 'target', found {}", source.name(), to_string(root.kind));
  }
  const auto& items = machine.list(root);
  for (std::size_t i = items.size(); i >= 2; i -= 2) {  // as in Python, the last one of equal keys counts
    const Value& key = items[i - 2];
    const bool text = key.kind == Kind::kString || key.kind == Kind::kBytes;
    if (text && key.length() == name.size() && machine.text(key) == name) return items[i - 1];
  }
  fail("{}: the pickled dict has no '{}' (expected 'data' and 'target')", source.name(), name);
}

std::int64_t element_count(const ByteSource& source, const NdArray& array, const char* what) {
  std::int64_t count = 1;
  for (const std::int64_t extent : array.shape) {
    if (__builtin_mul_overflow(count, extent, &count))
      fail("{}: '{}' is a numpy array of impossible shape", source.name(), what);
  }
  if (array.data.kind == Kind::kNone) fail("{}: '{}' is a numpy array without contents", source.name(), what);
  return count;
}

// An element of `data`: a byte string, or a numpy array of bytes.
PickledImage image_place(const PickleMachine& machine, const ByteSource& source, Value value, std::size_t index) {
  if (value.kind == Kind::kArray) {
    const NdArray& array = machine.array(value);
    const bool bytes = array.dtype.size == 1 && (array.dtype.kind == 'u' || array.dtype.kind == 'i');
    if (bytes && array.data.kind != Kind::kList) value = array.data;
  }
  if (value.kind != Kind::kBytes && value.kind != Kind::kLatin1String) {
    fail("{}: element {} of 'data' is {}, expected a JPEG byte string", source.name(), index, to_string(value.kind));
  }
  if (value.length() > kMaxImageBytes)
    fail("{}: element {} of 'data' has {} bytes", source.name(), index, value.length());
  return {value.offset(), value.length(), value.kind == Kind::kLatin1String};
}

std::vector<PickledImage> image_places(const PickleMachine& machine, const ByteSource& source, Value data) {
  if (data.kind == Kind::kArray && machine.array(data).data.kind == Kind::kList) data = machine.array(data).data;
  if (!is_sequence(data))
    fail("{}: 'data' is {}, expected a list of JPEG byte strings", source.name(), to_string(data.kind));
  std::vector<PickledImage> images;
  images.reserve(machine.list(data).size());
  for (const Value& value : machine.list(data)) images.push_back(image_place(machine, source, value, images.size()));
  return images;
}

int checked_label(const ByteSource& source, std::int64_t value, std::size_t index) {
  if (value < 0 || value > std::numeric_limits<int>::max()) {
    fail("{}: element {} of 'target' is {}, expected a class id", source.name(), index, value);
  }
  return static_cast<int>(value);
}

std::vector<int> labels_of_list(const ByteSource& source, const std::vector<Value>& values) {
  std::vector<int> labels;
  labels.reserve(values.size());
  for (const Value& value : values) {
    if (value.kind != Kind::kInt) {
      fail("{}: element {} of 'target' is {}, expected an integer", source.name(), labels.size(),
           to_string(value.kind));
    }
    labels.push_back(checked_label(source, value.a, labels.size()));
  }
  return labels;
}

std::vector<int> labels_of_array(const PickleMachine& machine, const ByteSource& source, const NdArray& array,
                                 std::size_t images) {
  const std::int64_t count = element_count(source, array, "target");
  if (array.data.kind == Kind::kList) return labels_of_list(source, machine.list(array.data));
  if (static_cast<std::uint64_t>(count) != images) {
    fail("{}: 'target' has {} labels, but 'data' has {} images", source.name(), count, images);
  }
  if (array.dtype.kind != 'i' && array.dtype.kind != 'u') {
    fail("{}: 'target' is a numpy array of type '{}{}', expected integers", source.name(), array.dtype.kind,
         array.dtype.size);
  }
  // Text of protocol 2 is at most twice as long as its bytes: checked before it is read.
  const std::uint64_t bytes = images * array.dtype.size;
  if (array.dtype.size > 8 || array.data.length() > 2 * bytes)
    fail("{}: 'target' is a damaged numpy array", source.name());
  const std::vector<std::uint8_t> raw = machine.bytes(array.data);
  if (raw.size() != bytes) {
    fail("{}: 'target' is a damaged numpy array: {} bytes for {} elements", source.name(), raw.size(), count);
  }
  std::vector<int> labels;
  labels.reserve(images);
  for (std::size_t i = 0; i < images; ++i) {
    labels.push_back(checked_label(
        source, machine.integer(std::span(raw).subspan(i * array.dtype.size, array.dtype.size), array.dtype), i));
  }
  return labels;
}

}  // namespace

PickleIndex index_pickle(const ByteSource& source) {
  PickleMachine machine(source);
  const Value root = machine.run();
  const Value data = member(machine, source, root, "data");
  const Value target = member(machine, source, root, "target");
  PickleIndex index;
  index.images = image_places(machine, source, data);
  if (index.images.empty()) fail("{}: 'data' holds no images", source.name());
  if (is_sequence(target)) {
    index.labels = labels_of_list(source, machine.list(target));
  } else if (target.kind == Kind::kArray) {
    index.labels = labels_of_array(machine, source, machine.array(target), index.images.size());
  } else {
    fail("{}: 'target' is {}, expected a list of class ids", source.name(), to_string(target.kind));
  }
  if (index.labels.size() != index.images.size()) {
    fail("{}: 'target' has {} labels, but 'data' has {} images", source.name(), index.labels.size(),
         index.images.size());
  }
  return index;
}

std::vector<std::uint8_t> read_image_bytes(const ByteSource& source, const PickledImage& image) {
  std::vector<std::uint8_t> bytes(image.length);
  source.read(image.offset, bytes);
  if (image.utf8 && !latin1_from_utf8(bytes))
    throw BadImage(fmt::format("{}: an image's byte string has characters beyond 255", source.name()));
  return bytes;
}

}  // namespace gpueval::data
