// The card that the tests of the CUDA backend compute on: the double's.
#pragma once

#include "core/device.h"

namespace basin::testing {

/// cuda:0, whose backend the first call installs. Plans are not timed: a test runs the first one. With
/// BASIN_TEST_EXACT_MEMORY in the environment each tensor is an allocation of its own, whose ends a sanitizer
/// sees.
Device cuda_device();

}  // namespace basin::testing
