// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/file_state.h"
#include "gpueval/dataset.h"
#include "io/data/class_ids.h"
#include "io/data/decode_memory.h"
#include "io/data/pickle_index.h"

namespace gpueval {
namespace {

class PickleDataset : public Dataset {
 public:
  PickleDataset(const std::string& path, const LabelRules& rules) : source_(path), index_(data::index_pickle(source_)) {
    data::check_class_ids(path + ": 'target'", index_.labels, rules,
                          [](std::size_t i) { return fmt::format("element {}", i); });
  }
  std::size_t size() const override { return index_.images.size(); }
  int label(std::size_t index) const override { return index_.labels.at(index); }
  Image decode(std::size_t index) const override {
    const data::DecodeMemory memory;
    memory.reserve_file(index_.images.at(index).length);
    return decode_jpeg(content(index), path() + ": " + name(index), StoredColors::kBgr);
  }
  // A text's length is that of its UTF-8 form, which may be longer: for comparing lengths the bytes themselves count.
  std::uint64_t content_bytes(std::size_t index) const override {
    const data::PickledImage& image = index_.images.at(index);
    return image.utf8 ? content(index).size() : image.length;
  }
  std::vector<std::uint8_t> content(std::size_t index) const override {
    return data::read_image_bytes(source_, index_.images.at(index));
  }
  std::string name(std::size_t index) const override { return fmt::format("image {}", index); }
  std::string path() const override { return source_.name(); }
  std::string kind() const override { return "pickle"; }
  bool images_are_cropped() const override { return true; }
  GroundTruth ground_truth() const override { return {"class ids of the pickle's 'target'", {}, {}}; }
  std::string state() const override { return file_state(path()); }

 private:
  data::FileSource source_;
  data::PickleIndex index_;
};

}  // namespace

std::unique_ptr<Dataset> open_pickle(const std::string& path, const LabelRules& rules) {
  return std::make_unique<PickleDataset>(path, rules);
}

}  // namespace gpueval
