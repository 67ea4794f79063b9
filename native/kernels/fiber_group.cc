#include "kernels/fiber_group.h"

#include <ucontext.h>

#include <atomic>
#include <exception>
#include <utility>
#include <vector>

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

  // Lets those go on whose barrier is full: fibers that are done count as arrived.
  bool release() {
    const int count = static_cast<int>(fibers.size());
    bool any = false;
    bool block_full = true;
    for (const Fiber& fiber : fibers) block_full = block_full && (fiber.state == State::kAtBlock || fiber.state == State::kDone);
    for (int first = 0; first < count; first += kWarpLanes) {
      bool warp_full = true;
      for (int i = first; i < first + kWarpLanes; ++i) {
        warp_full = warp_full && (fibers[i].state == State::kAtWarp || fibers[i].state == State::kDone);
      }
      for (int i = first; i < first + kWarpLanes; ++i) {
        if (fibers[i].state == State::kDone) continue;
        if (!warp_full && !block_full) continue;
        fibers[i].state = State::kReady;
        any = true;
      }
    }
    return any;
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
  do {
    for (int i = 0; i < threads_; ++i) {
      while (f.fibers[i].state == Fibers::State::kReady) {
        f.current = i;
        swapcontext(&f.scheduler, &f.fibers[i].context);
      }
    }
  } while (f.release());
  if (f.failure) std::rethrow_exception(std::exchange(f.failure, nullptr));
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
