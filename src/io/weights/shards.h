// SPDX-License-Identifier: Apache-2.0
// Weights that Keras 3 split over several files (save_weights("x.weights.json", max_shard_size=...)): an index in JSON
// and, beside it, the files that it names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gpueval/weights.h"

namespace gpueval {

struct ShardIndex {
  std::string path;
  std::vector<std::string> files;                       // paths, each once, in the order of their names
  std::map<std::string, std::vector<std::string>> map;  // "/layers/conv2d/vars" -> some of `files`
};

// Whether a file that begins so (and is neither HDF5 nor zip) is to be read as an index.
bool may_be_index(std::string_view head, const std::string& path);

// Throws Error for text that is no JSON, names a key twice or is no index, and for names of files that would lead out
// of the index's folder. The files are not looked at.
ShardIndex read_shard_index(const std::string& path);

// The weights of all files as if they stood in one. shards: of read_keras_shard(), in the order of index.files. Throws
// Error where they hold anything else than the index says, or one array twice.
WeightFile join_shards(const ShardIndex& index, std::vector<WeightFile> shards);

// SHA-256 of the index and the files, one behind the other: `cat x.weights.json x_*.weights.h5 | sha256sum`.
std::string sha256_of(const ShardIndex& index);

}  // namespace gpueval
