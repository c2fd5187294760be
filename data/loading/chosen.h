// Some examples of a source, as a source.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/loading/source.h"

namespace basin::data {

/// Its example i is example places[i] of `all`, with its bits. Errors: ArgumentError for a place that `all`
/// has not.
std::shared_ptr<const ExampleSource> chosen(std::shared_ptr<const ExampleSource> all,
                                            std::vector<std::int64_t> places);

/// `n` of the examples in their order, drawn at the address (seed, Stream::probe, 0); all of a source that
/// has no more.
std::shared_ptr<const ExampleSource> drawn(std::shared_ptr<const ExampleSource> all, std::int64_t n,
                                           std::uint64_t seed);

}  // namespace basin::data
