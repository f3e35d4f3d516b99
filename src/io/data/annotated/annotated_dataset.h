// SPDX-License-Identifier: Apache-2.0
// What data sets with boxes and with label maps have in common: pictures that are files of a folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/sha256.h"
#include "gpueval/dataset.h"
#include "io/data/annotated/picture_size.h"

namespace gpueval::data {

struct AnnotatedPictures {
  std::string path, kind;             // as given by the user; "voc"
  std::vector<std::string> pictures;  // relative to path
  std::vector<std::string> classes;
  GroundTruth truth = {};
  bool stored = true;  // false: their names alone are known

  std::string file(std::size_t index) const;  // path / pictures[index]
};

class AnnotatedDataset : public Dataset {
 public:
  explicit AnnotatedDataset(AnnotatedPictures pictures) : pictures_(std::move(pictures)) {}
  std::size_t size() const override { return pictures_.pictures.size(); }
  int label(std::size_t) const override { return -1; }
  bool labelled() const override { return false; }
  // The picture that the truth is of: Error if its size is another.
  Image decode(std::size_t index) const override;
  std::string name(std::size_t index) const override { return pictures_.pictures.at(index); }
  std::string path() const override { return pictures_.path; }
  std::string kind() const override { return pictures_.kind; }
  bool images_are_cropped() const override { return false; }
  std::uint64_t content_bytes(std::size_t index) const override;
  std::vector<std::uint8_t> content(std::size_t index) const override;
  GroundTruth ground_truth() const override { return pictures_.truth; }
  std::vector<std::string> class_names() const override { return pictures_.classes; }
  std::string state() const override;

 protected:
  const AnnotatedPictures& pictures() const { return pictures_; }
  virtual PictureSize truth_size(std::size_t index) const = 0;  // as the truth says
  virtual std::string truth_file(std::size_t index) const = 0;
  virtual void add_state(Sha256& sum) const = 0;  // of the truths

 private:
  AnnotatedPictures pictures_;
};

void add_file_state(Sha256& sum, const std::string& name, const std::string& path);

}  // namespace gpueval::data
