// SPDX-License-Identifier: Apache-2.0
// One forward pass: input -> pinned staging -> device (own stream) -> steps -> outputs -> pinned staging -> caller.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <set>
#include <utility>

#include "cuda/engine/chunks.h"
#include "cuda/engine/detection_pass.h"
#include "cuda/engine/engine.h"
#include "cuda/engine/forward_pass.h"
#include "cuda/engine/half.h"
#include "cuda/engine/image_upload.h"
#include "cuda/engine/input_bytes.h"
#include "cuda/engine/library_note.h"
#include "gpueval/error.h"
#include "graph/drop_weights.h"
#include "graph/layer_info.h"
#include "graph/passes.h"

namespace gpueval::cuda {
namespace {

// One core copies less in a second than the bus to the GPU takes.
void copy_with_all_cores(void* to, const void* from, std::size_t bytes) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const auto pieces = static_cast<std::int64_t>((bytes + kPiece - 1) / kPiece);
#pragma omp parallel for schedule(static) if (pieces > 4)
  for (std::int64_t i = 0; i < pieces; ++i) {
    const std::size_t begin = static_cast<std::size_t>(i) * kPiece;
    std::memcpy(static_cast<std::byte*>(to) + begin, static_cast<const std::byte*>(from) + begin,
                std::min(kPiece, bytes - begin));
  }
}

class DeviceEngine final : public Engine, Pipeline, DevicePreprocessing, DeviceClock, DeviceDetection {
 public:
  DeviceEngine(std::shared_ptr<Runtime> runtime, std::string device, Graph lowered, const EngineOptions& options,
               const DeviceEngineOptions& device_options)
      : open_(std::move(runtime)),
        runtime_(*open_),
        device_(std::move(device)),
        graph_(expand_groups(std::move(lowered))),
        device_graph_(options.math == FloatMath::kHalf ? with_half_tensors(graph_) : graph_),
        options_(options),
        main_(make_stream(runtime_)),
        upload_(make_stream(runtime_)) {
    if (graph_.input_node().shape.c != 3) options_.pixels = nullptr;  // no pictures in colour
    prepare(device_options);
    allocate_staging();
    runtime_.synchronize(main_.get());
  }

  ~DeviceEngine() override {
    try {  // nothing may be freed that is still in use
      runtime_.synchronize(upload_.get());
      runtime_.synchronize(main_.get());
    } catch (const std::exception&) {  // an earlier failure, already reported
    }
  }

  void run(std::span<const float> input, int n, Outputs outputs) override {
    check_idle();
    submit(input, n);
    collect(outputs);
  }

  Pipeline* pipeline() override { return this; }
  int depth() const override { return kSlots; }
  void submit(std::span<const float> input, int n) override {
    begin(input, n);
    run_pass(n);
    end(n);
  }
  void collect(Outputs outputs) override;

  DevicePreprocessing* preprocessing() override { return this; }
  void submit(std::span<const Image> decoded, const PixelTable& table) override;

  DeviceClock* device_clock() override { return this; }
  double load(std::span<const float> input, int n) override;
  double run_loaded() override;
  double fetch(Outputs outputs) override;
  bool loaded_bytes() const override { return loaded_bytes_; }

  DeviceDetection* detection() override { return this; }
  std::string prepare(const Detector& detector) override;
  void detect(std::span<const float> input, int n, std::span<std::vector<FoundBox>> found) override;
  double detect_loaded() override;
  double fetch_found(std::span<std::vector<FoundBox>> found) override;

  void run_tapped(std::span<const float> input, int n, Outputs outputs, const LayerTap& tap) override {
    check_idle();
    check_whole();
    begin(input, n, false);  // the input has a tap, too
    const auto between = [&](int done) {
      runtime_.synchronize(main_.get());
      download(done, n, tap);
    };
    pass_->run_in_order(*tensors_, {.n = n, .slot = slot_, .apart = true}, between);
    finish(n, outputs);
  }

  void run_timed(std::span<const float> input, int n, Outputs outputs, std::span<double> seconds) override {
    GPUEVAL_CHECK(seconds.size() == layers_.size(), "{} times for {} steps", seconds.size(), layers_.size());
    check_idle();
    check_whole();
    while (clock_.size() <= layers_.size()) clock_.push_back(make_event(runtime_));
    begin(input, n);
    pass_->run_in_order(*tensors_, batch_of(n),
                        [&](int done) { runtime_.record(clock_[static_cast<std::size_t>(done)].get(), main_.get()); });
    finish(n, outputs);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      seconds[i] += runtime_.seconds(clock_[i].get(), clock_[i + 1].get());
    }
  }

  const std::vector<LayerInfo>& layers() const override { return layers_; }
  const Graph& graph() const override { return graph_; }
  std::string device() const override { return device_; }
  bool emulated() const override { return runtime_.properties().emulated; }
  std::size_t arena_bytes() const override { return tensors_->arena_bytes(); }
  std::vector<std::string> notes() const override { return notes_; }

 private:
  bool half() const { return options_.math == FloatMath::kHalf; }
  std::size_t image() const { return static_cast<std::size_t>(graph_.input_node().shape.elements()); }
  std::size_t batch() const { return static_cast<std::size_t>(options_.batch); }
  const void* output(std::size_t i, int n) const {
    return half() ? wide_outputs_[i].data() : tensors_->view(graph_.outputs[i].node, n, slot_).data;
  }
  std::size_t output_bytes(std::size_t i, int n) const {
    return static_cast<std::size_t>(n) * output_elements(graph_, i) * sizeof(float);
  }
  void prepare(const DeviceEngineOptions& device_options);
  void allocate_staging();
  void wrap_half();

  struct Slot {
    PinnedBuffer input;
    std::vector<PinnedBuffer> outputs;
    EventHandle upload_begins, uploaded, download_begins, done;
    DeviceBuffer staging;   // float32 input of a float16 network
    DeviceBuffer bytes;     // of a batch that came as bytes
    bool of_bytes = false;  // these are what the steps read
    ImageUpload images;
  };

  void check_idle() const {
    GPUEVAL_CHECK(under_way_.empty(), "{} batches were submitted and not collected", under_way_.size());
  }
  void check_whole() const {
    GPUEVAL_CHECK(chunks_.last == 0, "a step of an engine with chunks of {} has no whole tensor", chunks_.images);
  }
  Slot& next_slot(int n);
  InputBytes bytes_of(const Slot& slot) const {
    return {static_cast<const std::uint8_t*>(slot.bytes.data()), static_cast<const float*>(pixel_table_.data())};
  }
  void* input_of(const Slot& slot) const { return half() ? slot.staging.data() : tensors_->input(slot_); }
  // The newest one.
  Batch batch_of(int n) const;
  // As bytes where that is possible and wanted.
  void begin(std::span<const float> input, int n, bool bytes_will_do = true);
  void widen(const Slot& slot, int n);
  // The first pass of n images runs as it is: the driver may load kernels then, which a capture must not make it do.
  // cuDNN and cuBLASLt may take other ones for another n.
  // detects: with what finds the boxes behind it.
  void run_pass(int n, bool detects = false, const PassClock* clock = nullptr);
  double seconds_of_loaded(bool detects);
  void end(int n);
  void finish(int n, Outputs outputs) {
    end(n);
    collect(outputs);
  }
  void download(int node, int n, const LayerTap& tap);

  struct UnderWay {
    int slot, n;
  };
  using Warm = std::pair<int, bool>;  // images, whether as bytes

  std::shared_ptr<Runtime> open_;
  Runtime& runtime_;
  std::string device_;
  Graph graph_, device_graph_;  // as given; as it runs
  EngineOptions options_;
  StreamHandle main_, upload_;
  EventHandle pass_begins_, pass_ends_;
  std::unique_ptr<DeviceTensors> tensors_;
  std::unique_ptr<ForwardPass> pass_;
  std::vector<LayerInfo> layers_;
  std::vector<std::string> notes_;
  Chunks chunks_;
  std::array<Slot, kSlots> slots_;
  std::vector<DeviceBuffer> wide_outputs_;  // float32 outputs of a float16 network
  std::vector<EventHandle> clock_;
  std::vector<UnderWay> under_way_;
  int slot_ = 0;    // of the newest pass
  int loaded_ = 0;  // images that load() put there
  bool loaded_bytes_ = false;
  DeviceBuffer pixel_table_;             // of EngineOptions::pixels
  bool steps_take_bytes_ = false;        // else bytes are widened first
  std::set<Warm> warm_;                  // what has run
  std::string failed_detection_kernel_;  // as DetectionPass::failed_kernel() has it
  std::unique_ptr<DetectionPass> detection_pass_;
  std::set<Warm> detects_warm_;  // what has run with it
};

void DeviceEngine::prepare(const DeviceEngineOptions& device_options) {
  if (const DeviceProperties& device = runtime_.properties(); options_.overlap_launches && device.code < 90) {
    throw Error(
        fmt::format("{} (compute capability {}.{}): launches overlap in code for 9.0 and newer, and this program "
                    "has code for {}.{} for it (CMake's GPUEVAL_CUDA_ARCHITECTURES)",
                    device.name, device.sm / 10, device.sm % 10, device.code / 10, device.code % 10),
        ErrorKind::kDevice);
  }
  chunks_ = plan_chunks(device_graph_, options_.batch, options_.chunk,
                        device_options.cache_bytes > 0 ? device_options.cache_bytes : runtime_.properties().l2_bytes);
  LanePlan lanes = plan_lanes(device_graph_, options_.cuda_graph && chunks_.last == 0 ? device_options.max_lanes : 1);
  const StepOrder order(device_graph_, lanes);
  PooledConvs pooled(device_graph_);
  MemoryPlan plan = plan_memory(
      device_graph_, options_.batch, PitchRule::kDevice, [&](int a, int b) { return order.before(a, b); }, chunks_,
      pooled.writes());
  KernelSelector selector(runtime_, device_options.selector, main_.get());
  std::vector<ScratchNeeds> scratch(static_cast<std::size_t>(lanes.lanes));
  std::vector<std::unique_ptr<Step>> steps;
  for (std::size_t i = 1; i < device_graph_.nodes.size(); ++i) {
    const int node = static_cast<int>(i);
    const auto desc = conv_desc(device_graph_, node);
    GPUEVAL_CHECK(!desc || !desc->window.dilated(), "'{}' is a dilated convolution as one step, expected three",
                  device_graph_.nodes[i].name);
    steps.push_back(make_step({.runtime = runtime_,
                               .graph = device_graph_,
                               .plan = plan,
                               .node = node,
                               .batch = chunks_.holds(node) ? chunks_.images : options_.batch,
                               .math = options_.math,
                               .selector = selector,
                               .scratch = scratch[static_cast<std::size_t>(lanes.lane[i])],
                               .pooled = pooled,
                               .stream = main_.get()}));
    selector.save();  // a run that is killed keeps what it has timed
    layers_.push_back(layer_info(device_graph_, node, steps.back()->kernel(), pooled.written_by(node)));
    drop_weights(graph_.nodes[i]);  // on the device by now
    drop_weights(device_graph_.nodes[i]);
  }
  notes_ = selector.notes();
  if (options_.overlap_launches) notes_.push_back("Kernels begin before those in front of them have ended.");
  if (chunks_.last > 0) {
    notes_.push_back(fmt::format("Batches of {}: the layers up to {} run {} images at a time.", options_.batch,
                                 device_graph_.node(chunks_.last).name, chunks_.images));
  } else if (options_.chunk != 0) {
    notes_.push_back(fmt::format("Batches of {} run whole: chunks of them would be of no use.", options_.batch));
  }
  failed_detection_kernel_ = DetectionPass::failed_kernel(selector);
  if (!runtime_.properties().emulated) {
    if (const auto note = library_note(layers_, library_infos())) notes_.push_back(*note);
  }
  tensors_ =
      std::make_unique<DeviceTensors>(runtime_, device_graph_, options_.batch, std::move(plan), scratch, main_.get());
  pass_ = std::make_unique<ForwardPass>(runtime_, std::move(lanes), std::move(steps), main_.get(),
                                        options_.overlap_launches, chunks_);
}

void DeviceEngine::allocate_staging() {
  for (Slot& slot : slots_) {
    slot.input = PinnedBuffer(runtime_, batch() * image() * sizeof(float));
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      slot.outputs.emplace_back(runtime_, output_bytes(i, options_.batch));
    }
    for (EventHandle* event : {&slot.upload_begins, &slot.uploaded, &slot.download_begins, &slot.done}) {
      *event = make_event(runtime_);
    }
    if (half()) slot.staging = DeviceBuffer(runtime_, slot.input.size());
    if (options_.pixels != nullptr) slot.bytes = DeviceBuffer(runtime_, batch() * image());
  }
  if (options_.pixels != nullptr) {
    const auto* values = options_.pixels->values.front().data();
    pixel_table_ = upload<float>(runtime_, {values, 3 * 256}, main_.get());
    steps_take_bytes_ = quantizes_bytes(device_graph_);
  }
  pass_begins_ = make_event(runtime_);
  pass_ends_ = make_event(runtime_);
  if (half()) wrap_half();
}

// float32 -> float16 in front of the steps, and back behind them.
void DeviceEngine::wrap_half() {
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    wide_outputs_.emplace_back(runtime_, output_bytes(i, options_.batch));
  }
  pass_->before = [this](const Pass& pass) {
    const DeviceView to = pass.view(0);
    DeviceView from = to;
    from.data = slots_[static_cast<std::size_t>(pass.slot)].staging.data();
    from.dtype = DType::kF32;
    ops_of(runtime_).cast(from, to, pass.stream);
  };
  pass_->after = [this](const Pass& pass) {
    for (std::size_t i = 0; i < wide_outputs_.size(); ++i) {
      const DeviceView from = pass.view(graph_.outputs[i].node);
      DeviceView to = from;
      to.data = wide_outputs_[i].data();
      to.dtype = DType::kF32;
      ops_of(runtime_).cast(from, to, pass.stream);
    }
  };
}

// The one after the newest, for n images.
DeviceEngine::Slot& DeviceEngine::next_slot(int n) {
  GPUEVAL_CHECK(n >= 1 && n <= options_.batch, "{} images for a batch of {}", n, options_.batch);
  GPUEVAL_CHECK(under_way_.size() < kSlots, "{} passes are under way", under_way_.size());
  slot_ = (slot_ + 1) % kSlots;
  loaded_ = 0;
  return slots_[static_cast<std::size_t>(slot_)];
}

Batch DeviceEngine::batch_of(int n) const {
  const Slot& slot = slots_[static_cast<std::size_t>(slot_)];
  Batch batch{n, slot_};
  if (slot.of_bytes) batch.bytes = bytes_of(slot);
  return batch;
}

void DeviceEngine::begin(std::span<const float> input, int n, bool bytes_will_do) {
  const std::size_t count = static_cast<std::size_t>(n) * image();
  Slot& slot = next_slot(n);
  GPUEVAL_CHECK(input.size() >= count, "{} inputs for {} images", input.size(), n);
  input = input.first(count);
  const bool bytes = bytes_will_do && options_.pixels != nullptr &&
                     to_bytes(input, *options_.pixels, {static_cast<std::uint8_t*>(slot.input.data()), count});
  if (!bytes) copy_with_all_cores(slot.input.data(), input.data(), input.size_bytes());
  loaded_bytes_ = bytes;
  slot.of_bytes = bytes && steps_take_bytes_;
  runtime_.record(slot.upload_begins.get(), upload_.get());
  runtime_.copy_to_device(bytes ? slot.bytes.data() : input_of(slot), slot.input.data(),
                          bytes ? count : input.size_bytes(), upload_.get());
  if (bytes && !slot.of_bytes) widen(slot, n);
  runtime_.record(slot.uploaded.get(), upload_.get());
  runtime_.wait(main_.get(), slot.uploaded.get());
}

// What came as bytes, for steps that read floats.
void DeviceEngine::widen(const Slot& slot, int n) {
  const InputBytes bytes = bytes_of(slot);
  Shape shape = graph_.input_node().shape;
  shape.n = n;
  ops_of(runtime_).preprocess(bytes.view(shape, 0), bytes.table, false, 1.0f,
                              {input_of(slot), DType::kF32, shape, shape.c}, upload_.get());
}

void DeviceEngine::submit(std::span<const Image> decoded, const PixelTable& table) {
  const int n = static_cast<int>(decoded.size());
  Slot& slot = next_slot(n);
  slot.of_bytes = false;
  const Shape& shape = graph_.input_node().shape;
  const DeviceView input{input_of(slot), DType::kF32, {n, shape.h, shape.w, shape.c}, shape.c};
  slot.images.enqueue(runtime_, decoded, table, input, upload_.get());
  runtime_.record(slot.uploaded.get(), upload_.get());
  runtime_.wait(main_.get(), slot.uploaded.get());
  run_pass(n);
  end(n);
}

void DeviceEngine::end(int n) {
  const Slot& slot = slots_[static_cast<std::size_t>(slot_)];
  runtime_.record(slot.download_begins.get(), main_.get());
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    runtime_.copy_to_host(slot.outputs[i].data(), output(i, n), output_bytes(i, n), main_.get());
  }
  runtime_.record(slot.done.get(), main_.get());
  under_way_.push_back({slot_, n});
}

void DeviceEngine::collect(Outputs outputs) {
  GPUEVAL_CHECK(!under_way_.empty(), "no pass is under way");
  const UnderWay oldest = under_way_.front();
  under_way_.erase(under_way_.begin());
  const Slot& slot = slots_[static_cast<std::size_t>(oldest.slot)];
  check_outputs(graph_, oldest.n, outputs);
  runtime_.synchronize(slot.done.get());
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    std::memcpy(outputs[i].data(), slot.outputs[i].data(), output_bytes(i, oldest.n));
  }
}

double DeviceEngine::load(std::span<const float> input, int n) {
  check_idle();
  begin(input, n);
  loaded_ = n;
  const Slot& slot = slots_[static_cast<std::size_t>(slot_)];
  runtime_.synchronize(slot.uploaded.get());
  return runtime_.seconds(slot.upload_begins.get(), slot.uploaded.get());
}

void DeviceEngine::run_pass(int n, bool detects, const PassClock* clock) {
  const Batch batch = batch_of(n);
  std::set<Warm>& warm = detects ? detects_warm_ : warm_;
  const Warm key(n, batch.bytes.pixels != nullptr);
  if (options_.cuda_graph && warm.contains(key)) {
    detects ? pass_->run_as_graph_to_last(*tensors_, batch, clock) : pass_->run_as_graph(*tensors_, batch, clock);
    return;
  }
  if (clock != nullptr) runtime_.record(clock->begin, main_.get());
  detects ? pass_->run_in_order_to_last(*tensors_, batch) : pass_->run_in_order(*tensors_, batch);
  if (clock != nullptr) runtime_.record(clock->end, main_.get());
  warm.insert(key);
}

double DeviceEngine::seconds_of_loaded(bool detects) {
  GPUEVAL_CHECK(loaded_ > 0, "no images were loaded");
  const PassClock clock{pass_begins_.get(), pass_ends_.get()};
  run_pass(loaded_, detects, &clock);
  runtime_.synchronize(main_.get());
  return runtime_.seconds(clock.begin, clock.end);
}

double DeviceEngine::run_loaded() { return seconds_of_loaded(false); }

double DeviceEngine::fetch(Outputs outputs) {
  GPUEVAL_CHECK(loaded_ > 0, "no images were loaded");
  finish(loaded_, outputs);
  const Slot& slot = slots_[static_cast<std::size_t>(slot_)];
  return runtime_.seconds(slot.download_begins.get(), slot.done.get());
}

std::string DeviceEngine::prepare(const Detector& detector) {
  check_idle();
  const auto& [boxes, scores] = detector.outputs;
  const std::size_t priors = detector.priors.boxes.size();
  const auto channels = static_cast<std::size_t>(detector.priors.score_channels());
  GPUEVAL_CHECK(std::max(boxes, scores) < graph_.outputs.size() && output_elements(graph_, boxes) == 4 * priors &&
                    output_elements(graph_, scores) == channels * priors,
                "the outputs are not of {} priors with {} scores", priors, channels);
  if (!failed_detection_kernel_.empty()) return failed_detection_kernel_;
  std::string refusal = DetectionPass::refusal(detector);
  if (!refusal.empty()) return refusal;
  runtime_.synchronize(main_.get());
  detection_pass_.reset();  // its memory first
  try {
    detection_pass_ = std::make_unique<DetectionPass>(runtime_, detector, options_.batch, main_.get());
  } catch (const Error& error) {  // the memory there is
    return error.what();
  }
  pass_->set_last([this](const Pass& pass) {
    const DetectorOutputs& which = detection_pass_->outputs();
    detection_pass_->enqueue(output(which.boxes, pass.n), output(which.scores, pass.n), pass.n, pass.stream);
  });
  detects_warm_.clear();
  return "";
}

void DeviceEngine::detect(std::span<const float> input, int n, std::span<std::vector<FoundBox>> found) {
  GPUEVAL_CHECK(detection_pass_ != nullptr && std::ssize(found) == n, "{} images for {} lists of boxes", n,
                found.size());
  check_idle();
  begin(input, n);
  run_pass(n, true);
  detection_pass_->enqueue_copy(n, main_.get());
  runtime_.synchronize(main_.get());
  detection_pass_->read(found);
}

double DeviceEngine::detect_loaded() {
  GPUEVAL_CHECK(detection_pass_ != nullptr, "no detector was prepared");
  return seconds_of_loaded(true);
}

double DeviceEngine::fetch_found(std::span<std::vector<FoundBox>> found) {
  GPUEVAL_CHECK(loaded_ > 0 && std::ssize(found) == loaded_, "{} images were loaded for {} lists of boxes", loaded_,
                found.size());
  const Slot& slot = slots_[static_cast<std::size_t>(slot_)];
  runtime_.record(slot.download_begins.get(), main_.get());
  detection_pass_->enqueue_copy(loaded_, main_.get());
  runtime_.record(slot.done.get(), main_.get());
  runtime_.synchronize(slot.done.get());
  detection_pass_->read(found);
  return runtime_.seconds(slot.download_begins.get(), slot.done.get());
}

void DeviceEngine::download(int node, int n, const LayerTap& tap) {
  DeviceView view = tensors_->view(node, n, slot_);
  DeviceBuffer widened;
  if (view.dtype == DType::kF16) {
    DeviceView wide = view;
    wide.dtype = DType::kF32;
    widened = DeviceBuffer(runtime_, static_cast<std::size_t>(view.shape.pixels() * view.pitch) * sizeof(float));
    wide.data = widened.data();
    ops_of(runtime_).cast(view, wide, main_.get());
    view = wide;
  }
  const std::int64_t elements = (view.shape.pixels() - 1) * view.pitch + view.shape.c;
  AlignedBuffer host(static_cast<std::size_t>(elements) * size_of(view.dtype));
  runtime_.copy_to_host(host.data(), view.data, static_cast<std::size_t>(elements) * size_of(view.dtype), main_.get());
  runtime_.synchronize(main_.get());
  tap(node, {.data = host.data(), .dtype = view.dtype, .shape = view.shape, .pitch = view.pitch});
}

}  // namespace

std::unique_ptr<Engine> make_device_engine(std::shared_ptr<Runtime> runtime, std::string device, Graph lowered,
                                           const EngineOptions& options, const DeviceEngineOptions& device_options) {
  GPUEVAL_CHECK(options.batch >= 1, "batch {}", options.batch);
  return std::make_unique<DeviceEngine>(std::move(runtime), std::move(device), std::move(lowered), options,
                                        device_options);
}

}  // namespace gpueval::cuda
