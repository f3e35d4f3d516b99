// SPDX-License-Identifier: Apache-2.0
// What lies in a folder of pictures, and what of it is passed over.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gpueval/dataset.h"

namespace gpueval::data {

// One folder without what is below it. Names are sorted as text.
struct FolderContents {
  std::vector<std::string> pictures;        // .jpg, .jpeg and .png, in any case
  std::vector<std::string> other_pictures;  // .bmp, .webp, ...: by their names
  std::vector<std::string> folders;
  std::vector<std::string> passed_over;  // folders that tools leave behind: __MACOSX, @eaDir, .ipynb_checkpoints
  std::size_t hidden = 0, others = 0;    // files

  bool has_pictures() const { return !pictures.empty() || !other_pictures.empty(); }
};
// Error for a folder that cannot be read, and for a picture that is no regular file.
FolderContents list_folder(const std::string& path);

struct ClassFolder {
  std::string name;
  FolderContents contents;
  std::size_t deeper = 0;  // pictures in folders below it
};

// Pictures side by side, or class folders; found below `path` where folders with nothing else in them wrap them.
struct PictureFolder {
  std::string path, inside;          // `inside`: from path to where the pictures or class folders are; may be empty
  FolderContents contents;           // of path / inside
  std::vector<ClassFolder> folders;  // with pictures in them or below them
  std::vector<std::string> empty;    // folders without pictures
  std::string where() const;         // path / inside
  bool flat() const { return !contents.pictures.empty(); }
};
// has_list: labels are given, so a single folder of pictures is what they are for, not a class.
PictureFolder find_pictures(const std::string& path, bool has_list, const LabelRules& rules);

// What is passed over, as sentences: pictures are worth a warning.
void tell_passed_over(const PictureFolder& folder, GroundTruth& truth);

}  // namespace gpueval::data
