// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "gpueval/dataset.h"
#include "gpueval/error.h"
#include "gpueval/preprocessing.h"
#include "io/data/crop_margin.h"

namespace gpueval {
namespace {

constexpr int kOriginalCrop = 224;

constexpr std::pair<Fit, std::string_view> kFits[] = {
    {Fit::kCrop, "crop"}, {Fit::kSquash, "squash"}, {Fit::kPad, "pad"}, {Fit::kPadCentre, "pad-centre"}};
constexpr std::pair<Resize, std::string_view> kResizes[] = {
    {Resize::kBilinear, "bilinear"}, {Resize::kBicubic, "bicubic"}, {Resize::kNearest, "nearest"}};

std::string_view take_number(std::string_view text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 1 || value > kMaxInputSide) value = 0;
  return text.substr(static_cast<std::size_t>(end - text.data()));
}

// Images that are stored cropped are known to be of this size.
int stored_side(const Dataset& data) { return data.kind() == "demo" ? 96 : 224; }

std::string crop_name(Resize resize, int height, int width) {
  return fmt::format("_{}{}_crop{}", to_string(resize), crop_short_side(height, width),
                     to_string(InputSize{height, width}));
}

void check_normalization(const InputSpec& input, const Normalization& normalization) {
  if (input.channels == 1 && normalization.by_color()) {
    fail_usage(
        "normalize {}: it is for R, G and B, but this network takes one channel; expected none, tf, unit or "
        "mean=M:std=S",
        to_string(normalization));
  }
}

// Pictures have three colours, of which one grey can be made.
void check_channels(const InputSpec& input, const PreprocessingChoice& choice) {
  if (input.channels != 1 && input.channels != 3) {
    fail_usage(
        "the network takes {0} channels, which no picture has: its data are arrays, --data X.npy of N x {1} x {2} x "
        "{0}",
        input.channels, input.height, input.width);
  }
  check_normalization(input, choice.normalization.value_or(input.normalization));
}

Preprocessing as_it_is(const InputSpec& input, const std::string& path, const ArrayForm& array,
                       const PreprocessingChoice& choice) {
  if (choice.original || choice.fit || choice.resize) {
    fail_usage("{}: arrays go to the network as they are, so there is nothing to fit or to resize", path);
  }
  if (array.shape != Shape{1, input.height, input.width, input.channels}) {
    fail("{}: its elements are {} x {} x {}, but the network takes {} x {} x {} (height, width, channels)", path,
         array.shape.h, array.shape.w, array.shape.c, input.height, input.width, input.channels);
  }
  Preprocessing result{.input = input, .as_it_is = true};
  result.input.normalization = choice.normalization.value_or(Normalization::kNone);
  if (result.input.normalization == Normalization::kNone) return result;
  if (!array.bytes || (input.channels != 1 && input.channels != 3)) {
    fail_usage(
        "normalize {}: it is for bytes of 1 or 3 channels, and the elements of {} are {}",
        to_string(*choice.normalization), path,
        array.bytes ? fmt::format("of {} channels", input.channels) : "floats, which go to the network as they are");
  }
  check_normalization(input, *choice.normalization);
  return result;
}

}  // namespace

Fit parse_fit(const std::string& text) {
  for (const auto& [fit, name] : kFits) {
    if (text == name) return fit;
  }
  fail_usage("unknown fit '{}': expected crop, squash, pad or pad-centre", text);
}

std::string to_string(Fit fit) {
  for (const auto& [value, name] : kFits) {
    if (value == fit) return std::string(name);
  }
  return "";
}

Resize parse_resize(const std::string& text) {
  for (const auto& [resize, name] : kResizes) {
    if (text == name) return resize;
  }
  fail_usage("unknown resize '{}': expected bilinear, bicubic or nearest", text);
}

std::string to_string(Resize resize) {
  for (const auto& [value, name] : kResizes) {
    if (value == resize) return std::string(name);
  }
  return "";
}

InputSize parse_input_size(const std::string& text) {
  InputSize size;
  std::string_view rest = take_number(text, size.height);
  size.width = size.height;
  if (rest.starts_with('x')) rest = take_number(rest.substr(1), size.width);
  if (!rest.empty() || size.height == 0 || size.width == 0) {
    fail_usage("input size '{}': expected HEIGHTxWIDTH such as 256x320, or one number for both, from 1 to {} pixels",
               text, kMaxInputSide);
  }
  return size;
}

std::string to_string(const InputSize& size) {
  return size.height == size.width ? fmt::format("{}", size.height) : fmt::format("{}x{}", size.height, size.width);
}

Preprocessing make_preprocessing(const InputSpec& input, bool stored_cropped, const PreprocessingChoice& choice) {
  check_channels(input, choice);
  if (choice.original && (choice.fit || choice.resize)) {
    fail_usage("the original preprocessing has a fit and a resize of its own, so none other can be chosen beside it");
  }
  Preprocessing result{.input = input};
  if (choice.normalization) result.input.normalization = *choice.normalization;
  if (choice.original) {
    result.first_crop = stored_cropped ? 0 : kOriginalCrop;
    return result;
  }
  result.fit = choice.fit.value_or(stored_cropped ? Fit::kSquash : Fit::kCrop);
  result.resize =
      choice.resize.value_or(result.fit == Fit::kCrop && !stored_cropped ? Resize::kBicubic : Resize::kBilinear);
  return result;
}

Preprocessing make_preprocessing(const InputSpec& input, const Dataset& data, const PreprocessingChoice& choice) {
  const std::optional<ArrayForm> array = data.array();
  return array ? as_it_is(input, data.path(), *array, choice)
               : make_preprocessing(input, data.images_are_cropped(), choice);
}

std::string preprocessing_name(const Dataset& data, const Preprocessing& p) {
  const InputSize input{p.input.height, p.input.width};
  const bool caffe = p.input.normalization == Normalization::kCaffe;
  const std::string normalization = caffe ? "caffe-bgr" : to_string(p.input.normalization);
  if (p.as_it_is) return "array_" + normalization;
  InputSize size;  // of what the picture is by now; {}: not known
  std::string name;
  if (data.images_are_cropped()) {
    size = {stored_side(data), stored_side(data)};
    name = (data.kind() == "demo" ? "_demo" : "_crop") + to_string(size);
  }
  if (p.first_crop > 0) {
    size = {p.first_crop, p.first_crop};
    name += crop_name(Resize::kBicubic, size.height, size.width);
  }
  if (p.fit == Fit::kCrop) {
    name += crop_name(p.resize, input.height, input.width);
  } else if (size != input) {  // nothing is resized or padded otherwise
    name += "_" + to_string(p.resize);
    if (p.fit != Fit::kSquash) name += "_" + to_string(p.fit);
    name += to_string(input);
  }
  if (p.input.channels == 1) name += "_grey";
  return name.substr(1) + (name.empty() ? "" : "_") + normalization;
}

}  // namespace gpueval
