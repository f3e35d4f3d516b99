// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "core/sha256.h"
#include "gpueval/selection.h"

namespace gpueval {
namespace {

std::string content_sha256(const Dataset& data, std::size_t index) {
  const std::vector<std::uint8_t> content = data.content(index);
  Sha256 sum;
  sum.update(std::as_bytes(std::span(content)));
  return sum.hex();
}

}  // namespace

std::vector<ImageDigest> image_digests(const Dataset& data, std::span<const std::size_t> indices) {
  std::vector<ImageDigest> digests;
  for (const std::size_t index : indices) {
    const std::uint64_t bytes = data.content_bytes(index);
    digests.push_back({index, bytes, bytes == 0 ? "" : content_sha256(data, index)});
  }
  return digests;
}

OtherImages other_images(const Dataset& data, std::span<const std::size_t> taken, std::span<const ImageDigest> known,
                         std::size_t limit) {
  const std::set<std::size_t> taken_indices(taken.begin(), taken.end());
  std::map<std::uint64_t, std::set<std::string>> known_of_length;
  for (const ImageDigest& digest : known) {
    if (digest.bytes != 0) known_of_length[digest.bytes].insert(digest.sha256);
  }
  OtherImages others;
  for (std::size_t i = 0; i < data.size() && others.indices.size() < limit; ++i) {
    if (taken_indices.contains(i)) {
      ++others.taken;
      continue;
    }
    const auto same_length =
        known_of_length.empty() ? known_of_length.end() : known_of_length.find(data.content_bytes(i));
    if (same_length != known_of_length.end() && same_length->second.contains(content_sha256(data, i))) {
      ++others.same_content;
    } else {
      others.indices.push_back(i);
    }
  }
  return others;
}

std::string indices_sha256(std::span<const std::size_t> indices) {
  Sha256 sum;
  for (const std::size_t index : indices) sum.update(std::string_view(fmt::format("{}\n", index)));
  return sum.hex();
}

}  // namespace gpueval
