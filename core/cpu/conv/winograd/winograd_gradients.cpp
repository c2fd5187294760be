// See winograd.h: both gradients in one walk through memory. Each partial sum of dw goes through its images,
// and those of dx follow while dy is in the cache.
#include "core/cpu/conv/winograd/winograd.h"
#include "core/parallel.h"

namespace basin::cpu {

bool winograd_gradients(const WinogradTile& tile, const ConvGeometry& g, const float* x,
                        const ChannelAffine& affine, const float* w, const float* dy, float* dx, float* dw,
                        RowConsumer* rows) {
  const WinogradWeightSums weight(tile, g, affine);
  const WinogradConvolution input = WinogradConvolution::input_grad(tile, g);
  if (weight.wide() || input.wide()) return false;
  float* sums = scratch(Slot::shared, weight.count() * weight.size() + input.weights());
  float* u = sums + weight.count() * weight.size();
  input.transform(w, u);
  // The strips of dx, run by run of images, as the partial sums cut the batch.
  std::vector<std::vector<Strip>> strips;
  std::vector<Index> first{0};
  for (Index s = 0; s < weight.count(); ++s) {
    strips.push_back(input.strips().list(weight.first(s), weight.first(s + 1)));
    first.push_back(first.back() + static_cast<Index>(strips.back().size()));
  }
  if (rows) rows->expect(first.back());
  parallel_for(weight.count(), [&](Index s, int) {
    const std::vector<Strip> list = weight.list(s);
    const std::vector<Strip>& own = strips[static_cast<std::size_t>(s)];
    std::size_t done = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      weight.strip(list, i, x, dy, sums + s * weight.size());
      // What this strip of dy completes: its images are in the cache.
      const bool last = i + 1 == list.size();
      const Index images = last ? g.batch : list[i + 1].n;  // those before are complete
      for (; done < own.size() && (last || own[done].n + own[done].images <= images); ++done) {
        input.strip(own[done], {}, dy, u, dx);
        const PixelRun run = input.plan().target_pixels(own[done]);
        if (rows)
          rows->take(first[static_cast<std::size_t>(s)] + static_cast<Index>(done), run.first, run.count);
      }
    }
  });
  weight.add_up(sums, dw);
  return true;
}

}  // namespace basin::cpu
