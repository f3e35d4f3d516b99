// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/box_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "io/data/annotated/voc_xml.h"

namespace gpueval::data {
namespace {

class BoxDataset : public AnnotatedDataset {
 public:
  BoxDataset(AnnotatedPictures pictures, BoxSet set) : AnnotatedDataset(std::move(pictures)), set_(std::move(set)) {}
  Image decode(std::size_t index) const override {
    Image image = AnnotatedDataset::decode(index);
    if (!set_.inside || set_.sizes[index].known()) return image;
    for (std::size_t i = set_.first[index]; i < set_.first[index + 1]; ++i) {
      check_box_inside(set_.boxes[i].box, {image.width, image.height},
                       fmt::format("{}: object {}", truth_file(index), i - set_.first[index] + 1));
    }
    return image;
  }
  TruthKind truth() const override { return TruthKind::kBoxes; }
  std::vector<TruthBox> boxes(std::size_t index) const override {
    const auto at = [&](std::size_t i) { return set_.boxes.begin() + static_cast<std::ptrdiff_t>(set_.first.at(i)); };
    return {at(index), at(index + 1)};
  }
  std::int64_t image_id(std::size_t index) const override { return set_.image_ids.at(index); }
  std::int64_t category_id(int category) const override {
    return set_.category_ids.empty() ? Dataset::category_id(category)
                                     : set_.category_ids.at(static_cast<std::size_t>(category));
  }

 protected:
  PictureSize truth_size(std::size_t index) const override { return set_.sizes.at(index); }
  std::string truth_file(std::size_t index) const override {
    return set_.files.size() == 1 ? set_.files.front() : set_.files.at(index);
  }
  void add_state(Sha256& sum) const override {
    for (const std::string& file : set_.files) add_file_state(sum, file, file);
    for (const std::int64_t id : set_.image_ids) sum.update(fmt::format("{}\n", id));
  }

 private:
  BoxSet set_;
};

}  // namespace

void tell_boxes(const BoxSet& set, GroundTruth& truth) {
  const auto count = [&](auto member) { return std::count_if(set.boxes.begin(), set.boxes.end(), member); };
  const auto total = set.boxes.size();
  if (const auto n = count([](const TruthBox& box) { return box.difficult; }); n > 0)
    truth.notes.push_back(fmt::format("{} of {} boxes {} marked as difficult.", n, total, n == 1 ? "is" : "are"));
  if (const auto n = count([](const TruthBox& box) { return box.crowd; }); n > 0)
    truth.notes.push_back(fmt::format("{} of {} boxes {} of a crowd.", n, total, n == 1 ? "is" : "are"));
  std::size_t without = 0;
  for (std::size_t i = 0; i + 1 < set.first.size(); ++i) without += set.first[i] == set.first[i + 1] ? 1 : 0;
  if (without > 0) {
    truth.notes.push_back(fmt::format("{} of {} pictures {} no box and {} judged, too.", without, set.first.size() - 1,
                                      without == 1 ? "has" : "have", without == 1 ? "is" : "are"));
  }
}

std::unique_ptr<Dataset> box_dataset(AnnotatedPictures pictures, BoxSet set) {
  tell_boxes(set, pictures.truth);
  return std::make_unique<BoxDataset>(std::move(pictures), std::move(set));
}

}  // namespace gpueval::data
