// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace gpueval {

const std::string& cpu_name();  // as the system has it: "AMD EPYC 9R14"; "unknown CPU" where it tells nothing

}  // namespace gpueval
