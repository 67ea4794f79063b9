#include "kernels/pack_panel.h"
#include "kernels/register.h"
#include "runtime/parallel.h"

namespace zero_rl::kernels::ZERO_RL_ISA {

namespace {

constexpr int64_t kElementsPerThread = 1 << 15;

template <class T>
int64_t panel_elements(int64_t n, int64_t k) {
  return panel_count(n) * kTileColumns * panel_depth<T>(k);
}

template <class T>
void pack_panels(const PackPanels& p) {
  const int64_t grain = 1 + kElementsPerThread / (kTileColumns * p.k);
  parallel_ranges(panel_count(p.n), grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t panel = begin; panel < end; ++panel) {
      pack_panel<T>(p, panel, 0, p.k, static_cast<T*>(p.panels) + panel * kTileColumns * panel_depth<T>(p.k));
    }
  });
}

}  // namespace

void register_pack_panels(Table& float32, Table& bfloat16) {
  float32.panel_elements = panel_elements<float>;
  bfloat16.panel_elements = panel_elements<Bfloat16>;
  float32.pack_panels = pack_panels<float>;
  bfloat16.pack_panels = pack_panels<Bfloat16>;
}

}  // namespace zero_rl::kernels::ZERO_RL_ISA
