// SPDX-License-Identifier: Apache-2.0
#include "core/file_state.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace gpueval {

std::string file_state(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "missing";
  return fmt::format("{} {}.{:09} {}.{:09}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

}  // namespace gpueval
