// The order in which threads and blocks run.
#pragma once

#include <cstdint>
#include <utility>

namespace emu {

enum class Order : int { random, forward, reverse };

// Marsaglia's xorshift64*: quick, and good enough to shuffle threads.
class Random {
   public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 0x2545f4914f6cdd1dULL) {
        if (!state_) state_ = 1;
        for (int warm_up = 0; warm_up < 4; ++warm_up) next();
    }

    uint32_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<uint32_t>((state_ * 0x2545f4914f6cdd1dULL) >> 32);
    }

    // Uniform in [0, bound), up to a bias of bound / 2^32.
    uint32_t below(uint32_t bound) { return static_cast<uint32_t>((static_cast<uint64_t>(next()) * bound) >> 32); }

   private:
    uint64_t state_;
};

template <class T>
void arrange(T* items, uint32_t count, Order order, Random& random) {
    if (order == Order::reverse) {
        for (uint32_t i = 0; i < count / 2; ++i) std::swap(items[i], items[count - 1 - i]);
    } else if (order == Order::random) {
        for (uint32_t i = count; i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
    }
}

}  // namespace emu
