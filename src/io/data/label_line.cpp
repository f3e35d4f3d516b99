// SPDX-License-Identifier: Apache-2.0
#include "io/data/label_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include "io/data/imagenet_classes.h"

namespace gpueval::data {
namespace {

constexpr std::string_view kSeparators = " \t,;";

std::string_view trimmed(std::string_view text, std::string_view what) {
  const auto first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trimmed(text, " \t"); !text.empty(); text = trimmed(text, " \t")) {
    words.push_back(text.substr(0, text.find_first_of(" \t")));
    text.remove_prefix(words.back().size());
  }
  return words;
}

// LOC_val_solution.csv: "ILSVRC2012_val_00000001,n03627232 10 20 200 210 " with five words a box.
std::optional<LabelLine> kaggle_line(std::string_view line) {
  const auto comma = line.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::vector<std::string_view> words = words_of(unquoted(trimmed(line.substr(comma + 1), " \t")));
  if (words.empty() || words.size() % 5 != 0) return std::nullopt;
  std::string label(words[0]);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i % 5 == 0 ? !is_synset(words[i]) : !parse_class_id(words[i])) return std::nullopt;
    if (i % 5 == 0 && words[i] != words[0]) label += fmt::format(" and {}", words[i]);  // no label: the reader says so
  }
  return LabelLine{std::string(unquoted(trimmed(line.substr(0, comma), " \t"))), std::move(label)};
}

// Where the last word begins; a quoted one begins at its opening quote.
std::size_t last_word(std::string_view line) {
  const char quote = line.back();
  if ((quote == '"' || quote == '\'') && line.size() > 1) {
    const auto opening = line.find_last_of(quote, line.size() - 2);
    if (opening != std::string_view::npos) return opening;
  }
  const auto separator = line.find_last_of(kSeparators);
  return separator == std::string_view::npos ? 0 : separator + 1;
}

bool has_extension(std::string_view name, std::span<const std::string_view> extensions) {
  return std::any_of(extensions.begin(), extensions.end(), [&](std::string_view extension) {
    return name.size() > extension.size() &&
           std::equal(extension.rbegin(), extension.rend(), name.rbegin(),
                      [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
  });
}

constexpr std::array<std::string_view, 3> kDecoded = {".jpg", ".jpeg", ".png"};
constexpr std::array<std::string_view, 11> kPictures = {".jpg", ".jpeg", ".png",  ".bmp",  ".gif", ".jfif",
                                                        ".tif", ".tiff", ".webp", ".heic", ".jpe"};

}  // namespace

LabelLine split_label_line(std::string_view line) {
  if (auto kaggle = kaggle_line(line)) return *kaggle;
  const auto end = line.find_last_not_of(kSeparators);
  if (end == std::string_view::npos) return {};
  line = line.substr(0, end + 1);
  const std::size_t at = last_word(line);
  const std::string_view name = trimmed(line.substr(0, at), kSeparators);
  return {std::string(unquoted(name)), std::string(trimmed(unquoted(line.substr(at)), " \t"))};
}

std::optional<int> parse_class_id(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::string_view base_name(std::string_view name) {
  const auto slash = name.find_last_of("/\\");
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

std::string_view without_picture_extension(std::string_view name) {
  return has_picture_extension(name) ? name.substr(0, name.rfind('.')) : name;
}

bool has_decoded_extension(std::string_view name) { return has_extension(name, kDecoded); }
bool has_picture_extension(std::string_view name) { return has_extension(name, kPictures); }

}  // namespace gpueval::data
