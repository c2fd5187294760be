// The card that the tests of the CUDA backend compute on: the double's.
#pragma once

#include "core/device.h"

namespace basin::testing {

/// cuda:0, whose backend the first call installs. Plans are not timed: a test runs the first one.
Device cuda_device();

}  // namespace basin::testing
