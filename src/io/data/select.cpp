// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "gpueval/error.h"
#include "gpueval/selection.h"

namespace gpueval {
namespace {

class Selection : public Dataset {
 public:
  Selection(const Dataset& data, std::vector<std::size_t> indices) : data_(data), indices_(std::move(indices)) {
    for (const std::size_t index : indices_)
      GPUEVAL_CHECK(index < data.size(), "image {} of {} that {} has", index, data.size(), data.path());
  }
  std::size_t size() const override { return indices_.size(); }
  int label(std::size_t index) const override { return data_.label(indices_.at(index)); }
  bool labelled() const override { return data_.labelled(); }
  Image decode(std::size_t index) const override { return data_.decode(indices_.at(index)); }
  std::optional<ArrayForm> array() const override { return data_.array(); }
  void read(std::size_t index, std::span<float> dst) const override { data_.read(indices_.at(index), dst); }
  std::uint64_t content_bytes(std::size_t index) const override { return data_.content_bytes(indices_.at(index)); }
  std::vector<std::uint8_t> content(std::size_t index) const override { return data_.content(indices_.at(index)); }
  std::string name(std::size_t index) const override { return data_.name(indices_.at(index)); }
  std::string path() const override { return data_.path(); }
  std::string kind() const override { return data_.kind(); }
  GroundTruth ground_truth() const override { return data_.ground_truth(); }
  TruthKind truth() const override { return data_.truth(); }
  LabelMap label_map(std::size_t index) const override { return data_.label_map(indices_.at(index)); }
  std::vector<TruthBox> boxes(std::size_t index) const override { return data_.boxes(indices_.at(index)); }
  std::vector<std::string> class_names() const override { return data_.class_names(); }
  std::int64_t image_id(std::size_t index) const override { return data_.image_id(indices_.at(index)); }
  std::int64_t category_id(int category) const override { return data_.category_id(category); }
  std::string state() const override { return data_.state() + " " + indices_sha256(indices_); }
  bool images_are_cropped() const override { return data_.images_are_cropped(); }

 private:
  const Dataset& data_;
  std::vector<std::size_t> indices_;
};

}  // namespace

std::unique_ptr<Dataset> select(const Dataset& data, std::vector<std::size_t> indices) {
  return std::make_unique<Selection>(data, std::move(indices));
}

}  // namespace gpueval
