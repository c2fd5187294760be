// The card that the tests of the CUDA backend compute on: the double's.
#pragma once

#include "core/device.h"

namespace basin::testing {

/// cuda:0 on the doubles. The first call installs its backend.
Device cuda_device();

}  // namespace basin::testing
