// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "gpueval/dataset.h"
#include "io/data/pickle_index.h"

namespace gpueval {
namespace {

class PickleDataset : public Dataset {
 public:
  explicit PickleDataset(const std::string& path) : source_(path), index_(data::index_pickle(source_)) {}
  std::size_t size() const override { return index_.images.size(); }
  int label(std::size_t index) const override { return index_.labels.at(index); }
  Image decode(std::size_t index) const override {
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

 private:
  data::FileSource source_;
  data::PickleIndex index_;
};

}  // namespace

std::unique_ptr<Dataset> open_pickle(const std::string& path) { return std::make_unique<PickleDataset>(path); }

}  // namespace gpueval
