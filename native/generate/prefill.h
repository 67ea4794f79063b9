// A packed pass over the next tokens of contexts: as many as one pass takes, and as there are pages for.
#pragma once

#include <list>
#include <vector>

#include "generate/sequences.h"
#include "model/model.h"

namespace zero_rl {

class Prefill {
 public:
  // `reserve`: pages that must be left for others.
  Prefill(Model& model, PageCache& cache, int64_t most_tokens, int64_t reserve)
      : model_(model), cache_(cache), most_tokens_(most_tokens), reserve_(reserve) {}

  // Adds the next tokens of a context, as many as there is room for.
  enum class Added {
    kSome,
    kFull,     // the pass
    kLater,    // this pass leaves its beginning in the cache
    kNoPages,
  };
  Added add(Context& context);
  int64_t tokens() const { return tokens_; }
  // Computes what was added. Contexts whose last token it was are ready.
  void run();

 private:
  struct Chunk {
    Context* context;
    int64_t length;
  };
  // Takes the pages of its longest cached beginning.
  Added match(Context& context);
  int64_t spare() const { return cache_.available() - reserve_; }
  bool waits(const Context& context) const;
  const AbortFlag& abort() const;
  void compute_logits(const at::Tensor& hidden, const std::vector<int64_t>& last);

  Model& model_;
  PageCache& cache_;
  int64_t most_tokens_;
  int64_t reserve_;
  int64_t tokens_ = 0;
  int64_t endings_ = 0;
  AbortFlag never_;
  std::vector<Chunk> chunks_;
};

}  // namespace zero_rl
