// A surface as a file of ParaView: VTK PolyData in plain XML.
#pragma once

#include <string>

#include "apps/report/figure.h"

namespace basin::apps {

/// The surface as quadrilaterals between the points of its grid, with the heights as point data by the name
/// of z_label. A point stands at (x, y, z); of a surface that is drawn by powers of ten at the height
/// log(min(z, 10) + 0.1), which loss-landscape's converter gives a loss for ParaView (its options log and
/// zmax 10): the point data have the heights themselves. A cell where one is not finite is left out. x runs
/// first.
std::string vtp_of(const Surface& surface);

}  // namespace basin::apps
