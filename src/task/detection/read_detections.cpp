// SPDX-License-Identifier: Apache-2.0
#include "task/detection/detection_file.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "gpueval/error.h"

namespace gpueval {
namespace {

using Json = nlohmann::json;

// Element by element: the array is never in memory as a whole.
class DetectionReader : public nlohmann::json_sax<Json> {
 public:
  DetectionReader(const std::string& path, std::span<const std::int64_t> images,
                  std::span<const std::int64_t> categories)
      : path_(path), images_(images.begin(), images.end()) {
    for (std::size_t i = 0; i < categories.size(); ++i) categories_[categories[i]] = static_cast<int>(i);
  }

  bool null() override { return value({}); }
  bool boolean(bool) override { return value({}); }
  bool number_integer(std::int64_t v) override { return value(static_cast<double>(v)); }
  bool number_unsigned(std::uint64_t v) override { return value(static_cast<double>(v)); }
  bool number_float(double v, const std::string&) override { return value(v); }
  bool string(std::string&) override { return value({}); }
  bool binary(Json::binary_t&) override { return value({}); }
  bool start_object(std::size_t) override {
    if (++depth_ == 2) current_ = {};
    if (depth_ < 2) refuse("a JSON array of detections");
    return true;
  }
  bool end_object() override {
    if (depth_-- == 2) accept();
    return true;
  }
  bool start_array(std::size_t) override {
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ == 2) key_ = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    fail("{}: is no JSON at byte {}: {}", path_, position, error.what());
  }

  std::map<std::int64_t, std::vector<Detection>> result;

 private:
  struct Current {
    std::optional<double> image, category, score;
    std::vector<double> box;
  };

  [[noreturn]] void refuse(const std::string& expected) const {
    fail("{}: detection {}: expected {}", path_, count_ + 1, expected);
  }

  bool value(std::optional<double> number) {
    if (depth_ < 2) refuse("an object with image_id, category_id, bbox and score");
    if (depth_ == 3 && key_ == "bbox") {
      if (!number || !std::isfinite(*number)) refuse("a bbox of four finite numbers");
      current_.box.push_back(*number);
    }
    if (depth_ != 2) return true;
    if (key_ == "image_id") current_.image = number;
    if (key_ == "category_id") current_.category = number;
    if (key_ == "score") current_.score = number;
    return true;
  }

  void accept() {
    const auto& [image, category, score, box] = current_;
    if (!image || !category || !score || box.size() != 4)
      refuse("image_id, category_id, score (numbers) and a bbox of x, y, width, height");
    if (!(*score >= 0 && *score <= 1)) refuse(fmt::format("a score from 0 to 1, found {}", *score));
    if (box[2] < 0 || box[3] < 0) refuse("a bbox whose width and height are not negative");
    const auto id = static_cast<std::int64_t>(*image);
    if (!images_.contains(id)) refuse(fmt::format("the image_id of a judged picture, found {}", *image));
    const auto found = categories_.find(static_cast<std::int64_t>(*category));
    if (found == categories_.end()) refuse(fmt::format("the category_id of a class of the truth, found {}", *category));
    result[id].push_back({found->second, *score, {box[0], box[1], box[2], box[3]}});
    ++count_;
  }

  const std::string& path_;
  std::set<std::int64_t> images_;
  std::map<std::int64_t, int> categories_;
  int depth_ = 0;
  std::string key_;
  Current current_;
  std::size_t count_ = 0;
};

}  // namespace

std::map<std::int64_t, std::vector<Detection>> read_detections(const std::string& path,
                                                               std::span<const std::int64_t> image_ids,
                                                               std::span<const std::int64_t> category_ids) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail_file("{}: cannot be opened", path);
  DetectionReader reader(path, image_ids, category_ids);
  Json::sax_parse(file, &reader);
  return std::move(reader.result);
}

}  // namespace gpueval
