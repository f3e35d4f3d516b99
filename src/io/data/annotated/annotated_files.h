// SPDX-License-Identifier: Apache-2.0
// Files that belong together by their names.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gpueval::data {

// Names in a folder, sorted as text: of files that end in `suffix`, without it; of folders. Hidden ones and those that
// tools leave are passed over. Error for a folder that cannot be read; none for one that is not there.
std::vector<std::string> files_ending(const std::string& folder, std::string_view suffix);
std::vector<std::string> folders_in(const std::string& folder);

// The pictures of a folder (.jpg, .jpeg, .png) by their names without extension.
class PictureStems {
 public:
  explicit PictureStems(std::string folder);
  const std::string& folder() const { return folder_; }
  const std::map<std::string, std::string>& names() const { return names_; }
  // "000001" -> "000001.jpg"; null if there is none. Error if there are two.
  const std::string* find(const std::string& stem) const;

 private:
  std::string folder_;
  std::map<std::string, std::string> names_;
  std::set<std::string> doubled_;
};

// "a, b, c and 5 others"
std::string some_of(const std::vector<std::string>& names);

// Error if `missing` is not empty: "VOC/JPEGImages: 3 of 60 pictures are missing, the first is 000007".
void check_none_missing(const std::string& where, const std::string& what, std::size_t count,
                        const std::vector<std::string>& missing);

}  // namespace gpueval::data
