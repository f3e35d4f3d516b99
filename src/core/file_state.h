// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace gpueval {

// Size, time of change and time of the last write of the inode, to the nanosecond: another text means that the file may
// be another one. A copy that keeps size and time of change (cp -p) still differs in the last. "missing" if there is
// none.
std::string file_state(const std::string& path);

}  // namespace gpueval
