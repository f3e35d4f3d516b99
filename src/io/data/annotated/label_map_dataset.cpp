// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/label_map_dataset.h"

#include <filesystem>
#include <utility>

#include "io/data/annotated/label_map.h"

namespace gpueval::data {
namespace {

class LabelMapDataset : public AnnotatedDataset {
 public:
  LabelMapDataset(AnnotatedPictures pictures, LabelMapFiles files)
      : AnnotatedDataset(std::move(pictures)), files_(std::move(files)) {}
  TruthKind truth() const override { return TruthKind::kLabelMap; }
  LabelMap label_map(std::size_t index) const override {
    LabelMap map = read_label_map(truth_file(index));
    check_size(index, {map.width, map.height});
    for (std::uint8_t& value : map.classes) value = files_.map.classes[value];
    return map;
  }
  std::int64_t image_id(std::size_t index) const override {
    return files_.image_ids.empty() ? Dataset::image_id(index) : files_.image_ids.at(index);
  }

 protected:
  PictureSize truth_size(std::size_t index) const override { return png_size(truth_file(index)); }
  std::string truth_file(std::size_t index) const override {
    return (std::filesystem::path(path()) / files_.masks.at(index)).string();
  }
  void add_state(Sha256& sum) const override {
    for (std::size_t i = 0; i < size(); ++i) add_file_state(sum, files_.masks[i], truth_file(i));
    sum.update(std::as_bytes(std::span(files_.map.classes)));
  }

 private:
  // A picture whose header cannot be read is the decoder's to refuse.
  void check_size(std::size_t index, const PictureSize& mask) const {
    const std::vector<std::uint8_t> bytes = content(index);
    const PictureSize stored = stored_size(bytes);
    const bool turned = stored_orientation(bytes) >= 5;
    if (!stored.known() || mask == stored || (turned && mask == stored.turned())) return;
    fail("{}: expected a mask of {} pixels as {} has, found {}", truth_file(index), to_string(stored),
         pictures().file(index), to_string(mask));
  }

  LabelMapFiles files_;
};

}  // namespace

std::unique_ptr<Dataset> label_map_dataset(AnnotatedPictures pictures, LabelMapFiles files) {
  return std::make_unique<LabelMapDataset>(std::move(pictures), std::move(files));
}

}  // namespace gpueval::data
