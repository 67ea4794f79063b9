#include "kernels/fiber_group.h"

#include <ucontext.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>
#include <vector>

#include "runtime/error.h"

namespace zero_rl::device {

namespace {

constexpr size_t kStackBytes = size_t{1} << 18;

std::atomic<bool> emulating{false};

}  // namespace

bool emulation() { return emulating.load(std::memory_order_relaxed); }
void set_emulation(bool on) { emulating.store(on, std::memory_order_relaxed); }

struct FiberBlock::Fibers {
  enum class State { kReady, kAtWarp, kAtBlock, kDone };
  struct Fiber {
    ucontext_t context{};
    std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
    State state = State::kReady;
  };

  ucontext_t scheduler{};
  std::vector<Fiber> fibers;
  int current = 0;
  const std::function<void(int)>* body = nullptr;
  std::exception_ptr failure;

  // makecontext passes ints only.
  static void enter(unsigned low, unsigned high) {
    auto* self = reinterpret_cast<Fibers*>((static_cast<uintptr_t>(high) << 32) | low);
    try {
      (*self->body)(self->current);
    } catch (...) {
      self->failure = std::current_exception();
    }
    self->fibers[self->current].state = State::kDone;
    swapcontext(&self->fibers[self->current].context, &self->scheduler);
  }

  bool all(int first, int count, State state) const {
    return std::all_of(fibers.begin() + first, fibers.begin() + first + count,
                       [state](const Fiber& fiber) { return fiber.state == state || fiber.state == State::kDone; });
  }

  // Whether any of them goes on: those that are done do not.
  bool release(int first, int count) {
    bool any = false;
    for (int i = first; i < first + count; ++i) {
      if (fibers[i].state == State::kDone) continue;
      fibers[i].state = State::kReady;
      any = true;
    }
    return any;
  }

  // Runs the fibers of a warp as far as they come without the other warps.
  void run_warp(int warp, bool backwards) {
    const int first = warp * kWarpLanes;
    do {
      for (int i = 0; i < kWarpLanes; ++i) {
        current = first + (backwards ? kWarpLanes - 1 - i : i);
        if (fibers[current].state == State::kReady) swapcontext(&scheduler, &fibers[current].context);
      }
    } while (all(first, kWarpLanes, State::kAtWarp) && release(first, kWarpLanes));
  }
};

FiberBlock::FiberBlock(int threads, int64_t shared_bytes)
    : threads_(threads),
      shared_(std::make_unique<std::max_align_t[]>(shared_bytes / sizeof(std::max_align_t) + 1)),
      shared_bytes_(shared_bytes),
      mailbox_(std::make_unique<double[]>(threads)),
      fibers_(std::make_unique<Fibers>()) {
  fibers_->fibers.resize(threads);
}

FiberBlock::~FiberBlock() = default;

void FiberBlock::run(const std::function<void(int)>& body) {
  Fibers& f = *fibers_;
  f.body = &body;
  // What a block leaves in shared memory must not serve the next one.
  std::memset(shared_.get(), 0xFF, shared_bytes_);
  const auto address = reinterpret_cast<uintptr_t>(&f);
  for (Fibers::Fiber& fiber : f.fibers) {
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, reinterpret_cast<void (*)()>(&Fibers::enter), 2, static_cast<unsigned>(address),
                static_cast<unsigned>(address >> 32));
    fiber.state = Fibers::State::kReady;
  }
  const int warps = threads_ / kWarpLanes;
  backwards_ = !backwards_;
  do {
    for (int i = 0; i < warps; ++i) f.run_warp(backwards_ ? warps - 1 - i : i, backwards_);
  } while (f.all(0, threads_, Fibers::State::kAtBlock) && f.release(0, threads_));
  const bool ended = f.all(0, threads_, Fibers::State::kDone);
  if (f.failure) std::rethrow_exception(std::exchange(f.failure, nullptr));
  if (!ended) throw native_error("The threads of a kernel wait at different barriers");
}

void FiberBlock::wait(bool whole_block) {
  Fibers& f = *fibers_;
  Fibers::Fiber& fiber = f.fibers[f.current];
  fiber.state = whole_block ? Fibers::State::kAtBlock : Fibers::State::kAtWarp;
  const int own = f.current;
  swapcontext(&fiber.context, &f.scheduler);
  f.current = own;
}

}  // namespace zero_rl::device
