// SPDX-License-Identifier: Apache-2.0
// One record of a journal (src/eval/journal.h) as bytes.
#pragma once

#include <cstdint>
#include <string>

#include "eval/journal.h"

namespace gpueval {

std::string encode_record(const ChunkResult& chunk);

// Reads the record at `offset` of the file, which must begin at image `first`, into `chunk`. Bytes of the record, or 0:
// there is no such record, and `chunk` holds nothing of use.
std::int64_t read_record(int file, std::int64_t offset, const JournalShape& shape, std::size_t first,
                         ChunkResult& chunk);

}  // namespace gpueval
