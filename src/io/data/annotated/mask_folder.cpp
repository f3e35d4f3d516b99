// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "gpueval/error.h"
#include "io/data/annotated/annotated_files.h"
#include "io/data/annotated/label_map.h"
#include "io/data/annotated/label_map_dataset.h"
#include "io/data/annotated/layouts.h"
#include "io/data/picture_folder.h"

namespace gpueval::data {
namespace {

// The named split, or the only one where the pictures do not lie in images itself.
std::string mask_split(const AnnotatedFolder& folder) {
  if (folder.request.split.empty() && !list_folder(folder.at("images")).pictures.empty()) return "";
  return split_folder(folder.at("images"), folder.request.split);
}

// Two values tell two classes from each other, but 255 is void unless somebody says otherwise.
void check_not_binary(const std::string& masks_in, const std::vector<std::string>& names) {
  constexpr std::size_t kLooked = 16;  // spread over the masks
  bool marked = false;
  const std::size_t looked = std::min(kLooked, names.size());
  for (std::size_t i = 0; i < looked; ++i) {
    const std::string path = (std::filesystem::path(masks_in) / (names[i * names.size() / looked] + ".png")).string();
    try {
      for (const std::uint8_t value : read_label_map(path).classes) {
        if (value != 0 && value != LabelMap::kVoid) return;
        marked |= value != 0;
      }
    } catch (const Error&) {  // told when it is judged
    }
  }
  if (!marked) return;
  fail_usage(
      "{}: its masks have the values 0 and 255 alone, and 255 is void, which is not judged: map-classes 255:1 makes it "
      "class 1, map-classes 255:void says that it is void",
      masks_in);
}

}  // namespace

std::unique_ptr<Dataset> open_mask_folder(const AnnotatedFolder& folder) {
  const std::string split = mask_split(folder), below = split.empty() ? "" : "/" + split;
  const PictureStems stems(folder.at("images" + below));
  const std::string masks_in = folder.at("masks" + below);
  if (stems.names().empty()) fail("{}: expected pictures (.jpg, .jpeg or .png), found none", stems.folder());
  const std::vector<std::string> there = files_ending(masks_in, ".png");
  AnnotatedPictures pictures{folder.request.path, "masks", {}, folder.request.classes};
  LabelMapFiles files{.map = folder.request.map.value_or(ClassMap{})};
  std::vector<std::string> missing;
  for (const auto& [stem, name] : stems.names()) {
    if (!std::binary_search(there.begin(), there.end(), stem)) missing.push_back(stem + ".png, the mask of " + name);
    pictures.pictures.push_back(folder.below("images" + below + "/" + *stems.find(stem)));
    files.masks.push_back(folder.below("masks" + below + "/" + stem + ".png"));
  }
  check_none_missing(masks_in, "masks", stems.names().size(), missing);
  if (const std::size_t more = there.size() - stems.names().size(); more > 0) {
    pictures.truth.notes.push_back(fmt::format("{} of {} masks of {} {} of no picture and passed over.", more,
                                               there.size(), masks_in, more == 1 ? "is" : "are"));
  }
  if (!folder.request.map) check_not_binary(masks_in, there);
  pictures.truth.mapping = fmt::format("Masks of {}", masks_in);
  return label_map_dataset(std::move(pictures), std::move(files));
}

}  // namespace gpueval::data
