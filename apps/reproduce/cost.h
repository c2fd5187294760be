// What runs cost, before they are made: the work of a study, and how fast this machine does it.
#pragma once

#include <cstdint>

#include "apps/config/train_config.h"

namespace basin::apps {

/// Forward-backward passes over its batch that a step makes on the mean of the run: 1 for plain steps, 2 for
/// SAM, 4 for GAM (6 in the exact form, a product counted as two), 1 + 1/k for every k-th step.
double passes_of(const SharpnessConfig& sharpness);

/// Multiply-adds of one forward pass of one image of the configuration's data and model; each model is looked
/// at once.
double multiply_adds_of(const TrainConfig& config);

/// Images that a run trains on, counted once for each pass.
double trained_images(const TrainConfig& config);

/// Floating-point operations of a run: 6 for each multiply-add of an image that is trained on, 2 for each of
/// one that is evaluated, after each epoch.
double work_of(const TrainConfig& config);

/// Operations a second that training reaches here on one thread, measured: ten steps of ResNet-20 on batches
/// of 32 images of 32x32.
double measured_speed();

/// The same of an H200, for the model "work / speed". Not measured: a tenth of the 495 TFLOP/s that its data
/// sheet has for dense TF32, for small networks and batches leave most of a card waiting.
constexpr double kH200Speed = 50e12;

}  // namespace basin::apps
