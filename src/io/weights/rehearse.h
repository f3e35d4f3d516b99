// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace gpueval {

// Runs task in a child process of bounded memory, CPU time and wall-clock time, and returns what it returned (at most
// kMaxAnswerBytes) once the child has said that it ended well. libhdf5 1.10 crashes, loops for ever or allocates
// without bound on some damaged files (tests/fuzz/fuzz_hdf5 finds one in seconds); so whatever reads a file's structure
// runs in a child first, and in this process only after the child has come through. Throws the task's own Error, or one
// about the file `name` of `bytes` bytes: the child died, said nothing, or was not done after `wall` (default: a time
// that grows with the file).
std::string answer_of_child(const std::string& name, std::uint64_t bytes, const std::function<std::string()>& task,
                            std::optional<std::chrono::milliseconds> wall = std::nullopt);

// The same without an answer.
void rehearse(const std::string& name, std::uint64_t bytes, const std::function<void()>& task,
              std::optional<std::chrono::milliseconds> wall = std::nullopt);

constexpr std::uint64_t kMaxAnswerBytes = 32u << 20;

}  // namespace gpueval
