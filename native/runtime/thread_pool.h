// The engine's threads: made once, spinning briefly between pieces of work and parked after that. The thread that
// submits work is one of them. A piece of work started inside another runs on the thread that starts it.
#pragma once

namespace zero_rl {

class ThreadPool {
 public:
  // Process-wide, started at first use and never destroyed: its threads may outlive static destructors.
  static ThreadPool& instance();

  // Only between pieces of work, on the thread that submits them. Throws ERR_ZERO_RL_OUT_OF_MEMORY where they cannot be
  // started; the pool has then one.
  void set_threads(int threads);

  // How many threads a piece of work started here gets: 1 inside another one.
  int threads() const noexcept;

  // Calls body(context, index) for 0 <= index < count, each index on a thread of its own, and waits for all of
  // them; count <= threads(). What a body throws is thrown here once all have ended: the first of several.
  void run(int count, void (*body)(void* context, int index), void* context);

 private:
  ThreadPool() = default;
  struct Team;
  Team* team_ = nullptr;
};

}  // namespace zero_rl
