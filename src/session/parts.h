// SPDX-License-Identifier: Apache-2.0
// The parts of a measurement. Each fills in its share of the report's runs, which stand in the order of the plan's
// rows.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gpueval/detector.h"
#include "gpueval/latency.h"
#include "session/images.h"
#include "session/kept_maps.h"
#include "session/prepare.h"
#include "session/start_report.h"

namespace gpueval {

// Judges the images. Sets report.journal: what a later run can resume. maps: for collect_gallery().
void measure_accuracy(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, KeptMaps& maps,
                      Observer& observer, Report& report);
// Fills report.gallery behind measure_accuracy(), where the plan has one and the task has boxes or label maps. Label
// maps of pictures that a journal has are computed once more, but not of an interrupted run.
void collect_gallery(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, const KeptMaps& maps,
                     Observer& observer, Report& report);
// Writes plan.outputs of the judged images, or of all where nothing is judged.
void save_outputs(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, Report& report);
// Times the engines, batch by batch, and their layers: of the plan's layers_batch. A row of a batch behind the first
// is a run of its own. Where no layer errors follow, the rows lose their graphs.
void measure_speed(const Plan& plan, Prepared& prepared, Observer& observer, Report& report);
inline bool measures_layer_errors(const Plan& plan) { return plan.accuracy && plan.layers_batch; }
// Errors of each layer of the int8 rows on some of the judged images, into the layers that measure_speed listed.
void measure_layer_error(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, Observer& observer,
                         Report& report);

// Batches of preprocessed images to time on; what the data has too few of is repeated. No data: synthetic ones.
std::vector<std::vector<float>> timing_inputs(const Plan& plan, const LoadedModel& model, const LoadedData& data,
                                              int batch);
// Of the whole batch, side by side; empty where the task has none.
std::function<void(const OutputBuffers&, int images)> postprocessing(const Prepared& prepared,
                                                                     std::optional<double> score_threshold = {});
// One an engine: where its device finds a detector's boxes, and they are the host's to the bit on the first batch,
// prepared; else null, and `notes` gets a sentence that says why not.
std::vector<DeviceDetection*> device_detections(const Prepared& prepared, const EngineSet& set,
                                                const std::vector<float>& input, int batch,
                                                std::vector<std::string>& notes);
// What device_detections() asks of one engine: why not, as a clause; empty: it does.
std::string why_not_on_device(const Detector& detector, Engine& engine, const std::vector<float>& input, int batch);
// Times it behind the timed run, and the network alone; detection: where it was on the device, else null.
std::optional<PostprocessingReport> time_postprocessing(const Prepared& prepared, Engine& engine,
                                                        DeviceDetection* detection, const std::vector<float>& input,
                                                        int batch);
// The same on a device, by its clock, for images that load() put there.
PostprocessingReport time_on_device(const Detector& usual, const Detector& other, DeviceClock& clock,
                                    DeviceDetection& detection);
std::vector<std::string> postprocessing_costs(const Report& report);  // whole sentences
SpeedOptions speed_options(const SpeedPlan& plan, int batch, Observer& observer);

// Everything that decides an accuracy run's logits, as text: equal keys continue each other's journal.
std::string journal_key(const Plan& plan, const Prepared& prepared, const JudgedSet& judged, const std::string& task);

}  // namespace gpueval
