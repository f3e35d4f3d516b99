// SPDX-License-Identifier: Apache-2.0
// What of a COCO file is kept, handed over by a parser that builds nothing.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/data/annotated/coco.h"

namespace gpueval::data {

// A file is { "images": [ {...}, ... ], "annotations": [...], "categories": [...], others }.
class CocoParser : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit CocoParser(std::string file) : file_(std::move(file)) {}
  // Error if one of the three lists was missing.
  CocoFile finish();

  bool null() override { return other("null"); }
  bool boolean(bool value) override;
  bool number_integer(std::int64_t value) override { return whole(value); }
  bool number_unsigned(std::uint64_t value) override;
  bool number_float(double value, const std::string&) override;
  bool string(std::string& value) override;
  bool binary(binary_t&) override { return other("bytes"); }
  bool start_object(std::size_t) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool key(std::string& name) override;
  [[noreturn]] bool parse_error(std::size_t at, const std::string& token,
                                const nlohmann::detail::exception& error) override;

 private:
  enum class Section { kNone, kImages, kAnnotations, kCategories };
  enum class Field { kNone, kId, kName, kWidth, kHeight, kImage, kCategory, kBox, kArea, kCrowd };
  struct Element {
    std::optional<std::int64_t> id, image, category;
    std::optional<std::string> name;
    std::optional<double> width, height, area;
    std::array<double, 4> box{};
    int corners = -1;  // numbers of `box` that were read
    bool crowd = false;
  };

  bool in_list() const { return section_ != Section::kNone && depth_ == 2; }
  bool in_element() const { return section_ != Section::kNone && depth_ == 3 && field_ != Field::kNone; }
  bool in_box() const { return section_ != Section::kNone && depth_ == 4 && field_ == Field::kBox; }
  bool whole(std::int64_t value);
  bool number(double value);
  bool other(const char* found);
  void open(const char* found);
  void add_element();
  void add_image();
  void add_annotation();
  void add_category();
  std::string where() const;  // "annotations[17]"
  [[noreturn]] void refuse(const std::string& expected, const std::string& found) const;

  std::string file_;
  CocoFile result_;
  int depth_ = 0;
  Section section_ = Section::kNone;
  Field field_ = Field::kNone;
  std::string list_, key_;
  std::size_t number_in_list_ = 0;
  std::set<std::string> lists_;
  std::vector<std::int64_t> annotation_ids_;
  Element element_;
};

}  // namespace gpueval::data
