// SPDX-License-Identifier: Apache-2.0
// What is kept between runs: journals and the times of kernels. Nobody else may have put it there or change it.
#pragma once

#include <string>

namespace gpueval {

// $GPUEVAL_CACHE, else $XDG_CACHE_HOME/gpueval, else ~/.cache/gpueval; empty where none of the three is set. The last
// two count only if absolute: a relative one would be another folder in every folder.
std::string cache_folder();
constexpr const char* kNoCacheFolder = "GPUEVAL_CACHE names no folder for it, and HOME is not set";

// Makes the folder (for this user alone) if it is missing. Throws Error for a symbolic link, for a folder of another
// user and for one that others may write in.
void make_private_folder(const std::string& path);

enum class PrivateAccess { kRead, kWrite };
// Descriptor of a file in such a folder, made if it is missing and is to be written; -1: it is missing. Throws Error
// for anything but a plain file of this user that nobody else may write to and that has no second name.
int open_private_file(const std::string& path, PrivateAccess access);

}  // namespace gpueval
