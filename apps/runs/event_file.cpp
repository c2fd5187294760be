// Fields as in tensorflow/core/util/event.proto and framework/summary.proto.
#include "apps/runs/event_file.h"

#include <chrono>
#include <string_view>

#include "apps/weights/finite.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/protobuf.h"
#include "core/io/tf_record.h"

namespace basin::apps {
namespace {

enum Field {
  wall_time = 1,
  step_field = 2,
  file_version = 3,
  summary = 5,
  value = 1,
  tag = 1,
  simple_value = 2
};

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Whether the event belongs to a run that stands at `step`, its last finished epoch's at `epoch_step`.
bool belongs(std::string_view event, std::int64_t step, std::int64_t epoch_step) {
  std::int64_t at = 0;
  bool of_epoch = false;
  for (ProtobufFields e(event); e.next();) {
    if (e.number() == step_field) at = e.integer();
    if (e.number() != summary) continue;
    for (ProtobufFields s(e.bytes()); s.next();)
      for (ProtobufFields v(s.bytes()); v.next();)
        if (v.number() == tag && v.bytes().starts_with("epoch/")) of_epoch = true;
  }
  return at <= (of_epoch ? epoch_step : step);
}

/// What of the file is kept.
std::string kept(const std::string& path, std::int64_t step, std::int64_t epoch_step) {
  std::string out;
  if (kind_of_file(path) != FileKind::regular) return out;
  const std::string all = read_file(path);
  std::string_view rest = all, event;
  try {
    while (take_tf_record(rest, event))
      if (belongs(event, step, epoch_step)) out += tf_record(event);
  } catch (const CheckpointError&) {
    return out;  // from here on it holds something else
  }
  return out;
}

}  // namespace

EventFile::EventFile(const std::string& directory, std::int64_t step,
                     const std::vector<EpochRecord>& epochs) {
  const std::string path = directory + "/" + kEventFile;
  make_directory(directory + "/" + kEventDirectory);
  std::string events = kept(path, step, epochs.empty() ? 0 : epochs.back().step);
  if (events.empty())
    events =
        tf_record(ProtobufMessage().real(wall_time, now()).string(file_version, "brain.Event:2").bytes());
  write_file_atomically(path, events);
  file_.emplace(path);
}

void EventFile::write(std::int64_t step, const Scalars& scalars) {
  ProtobufMessage values;
  for (const auto& [name, number] : scalars)
    values.message(value,
                   ProtobufMessage().string(tag, name).number(simple_value, static_cast<float>(number)));
  file_->append(tf_record(
      ProtobufMessage().real(wall_time, now()).integer(step_field, step).message(summary, values).bytes()));
}

void EventFile::write(const StepRecord& r) {
  Scalars scalars = {{"train/loss", r.loss}};
  if (r.loss_perturbed) scalars.emplace_back("train/loss_perturbed", *r.loss_perturbed);
  const double accuracy = ratio(static_cast<double>(r.correct), static_cast<double>(r.images));
  scalars.insert(
      scalars.end(),
      {{"train/accuracy", accuracy}, {"train/gradient_norm", r.gradient_norm}, {"train/lr", r.lr}});
  write(r.step, scalars);
}

void EventFile::write(const EpochRecord& r) {
  Scalars scalars = {{"epoch/train_loss", r.train_loss}};
  if (r.train_loss_perturbed) scalars.emplace_back("epoch/train_loss_perturbed", *r.train_loss_perturbed);
  scalars.emplace_back("epoch/train_accuracy", r.train_accuracy);
  if (r.test_loss) scalars.emplace_back("epoch/test_loss", *r.test_loss);
  if (r.test_accuracy) scalars.emplace_back("epoch/test_accuracy", *r.test_accuracy);
  if (r.validation_loss) scalars.emplace_back("epoch/validation_loss", *r.validation_loss);
  if (r.validation_accuracy) scalars.emplace_back("epoch/validation_accuracy", *r.validation_accuracy);
  if (r.hessian)
    scalars.insert(scalars.end(),
                   {{"hessian/lambda_max", r.hessian->largest}, {"hessian/trace", r.hessian->trace}});
  write(r.step, scalars);
}

}  // namespace basin::apps
