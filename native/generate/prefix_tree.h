// What the pages of a cache hold, by tokens: a node for each page, under the page before it. Beginnings that sequences share
// are there once, and stay after the sequences until their pages are needed.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "generate/page_pool.h"

namespace zero_rl {

class PrefixTree {
 public:
  explicit PrefixTree(PagePool& pool) : pool_(pool) {}
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  // A beginning whose keys and values are there.
  struct Match {
    std::vector<int32_t> pages;  // full ones
    int32_t part = -1;           // a page whose first part_tokens follow them, to be copied before more is written behind these
    int64_t part_tokens = 0;

    int64_t tokens() const { return static_cast<int64_t>(pages.size()) * kPageTokens + part_tokens; }
  };
  // The longest one. The caller becomes a holder of its pages.
  Match match(std::span<const int32_t> tokens);

  // Remembers that `pages`, which the caller holds, have the keys and values of `tokens`. Where a full page of these tokens
  // is known already, the caller holds that one instead afterwards.
  void insert(std::span<const int32_t> tokens, std::vector<int32_t>& pages);

  // Forgets at most `count` pages that nobody holds, those first that were not used for the longest time.
  void evict(int64_t count);
  void clear();

 private:
  struct Node;
  struct Less {
    using is_transparent = void;
    bool operator()(std::span<const int32_t> a, std::span<const int32_t> b) const;
  };
  // By their tokens, of which none are the beginning of others'.
  using Children = std::map<std::vector<int32_t>, std::unique_ptr<Node>, Less>;
  struct Node {
    Node* parent = nullptr;
    int32_t page = -1;
    Children children;
    Children::iterator place;            // among the parent's children
    std::list<Node*>::iterator last_use;
  };

  static int64_t common(std::span<const int32_t> a, std::span<const int32_t> b);
  // The child whose tokens agree with the first ones of `tokens` for longest, and how long.
  static std::pair<Node*, int64_t> closest(Node& node, std::span<const int32_t> tokens);
  Node& add(Node& parent, std::span<const int32_t> tokens, int32_t page);
  void remove(Node& node);
  // Marks a node, and then those above it, as used last.
  void touch(Node& node);

  PagePool& pool_;
  Node root_;
  std::list<Node*> uses_;  // used last comes last, and a node before those above it
};

}  // namespace zero_rl
