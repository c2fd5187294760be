// What the page looks like, and what moves in it.
#pragma once

#include <string>

namespace basin::apps {

/// Colours for light and dark pages, by prefers-color-scheme, also for the classes of Svg.
std::string page_style();

/// Turns each surface under the mouse, a finger or the arrow keys: draws it in a canvas from the numbers that
/// the page offers as CSV, in place of the picture that stands there without a script.
std::string page_script();

}  // namespace basin::apps
