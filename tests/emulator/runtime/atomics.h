// Atomic operations on global and shared memory. One host thread runs everything, but the race detector must know
// that these accesses are atomic, and that they order nothing (CUDA's are relaxed): hence the compiler's builtins.
#pragma once

#include "thread.h"

namespace emu {

template <class T>
struct SameType {
    using type = T;
};

// atomicAdd(&x, 1) on an unsigned x: the pointer alone decides the type.
template <class T>
using Operand = typename SameType<T>::type;

template <class T>
using Word = std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;

template <class To, class From>
inline To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "bits are reinterpreted between types of one size");
    To to;
    memcpy(&to, &from, sizeof(To));
    return to;
}

// Replaces *address by update(*address) and returns what was there.
template <class T, class Update>
inline T atomic_update(T* address, Update update, Site site) {
    check_initialised(address, sizeof(T), site);
    auto* word = reinterpret_cast<Word<T>*>(address);
    Word<T> before = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(word, &before, same_bits<Word<T>>(update(same_bits<T>(before))), false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return same_bits<T>(before);
}

// Signed addition wraps on the device; on the host it must not overflow.
template <class T>
inline T wrapping_add(T x, T y) {
    if constexpr (std::is_integral_v<T>) {
        using Unsigned = std::make_unsigned_t<T>;
        return static_cast<T>(static_cast<Unsigned>(x) + static_cast<Unsigned>(y));
    } else {
        return x + y;
    }
}

}  // namespace emu

#define EMU_ATOMIC(NAME, EXPRESSION)                                                                                   \
    template <class T>                                                                                                 \
    inline T NAME(T* address, emu::Operand<T> value, EMU_SITE) {                                                       \
        return emu::atomic_update(address, [=](T old) -> T { return EXPRESSION; }, {file, line});                      \
    }

EMU_ATOMIC(atomicAdd, emu::wrapping_add<T>(old, value))
EMU_ATOMIC(atomicSub, emu::wrapping_add<T>(old, static_cast<T>(~value + 1)))
EMU_ATOMIC(atomicMax, old < value ? value : old)
EMU_ATOMIC(atomicMin, value < old ? value : old)
EMU_ATOMIC(atomicExch, ((void)old, value))
EMU_ATOMIC(atomicOr, old | value)
EMU_ATOMIC(atomicAnd, old& value)
EMU_ATOMIC(atomicXor, old ^ value)
EMU_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
EMU_ATOMIC(atomicDec, (old == 0 || old > value) ? value : old - 1)
#undef EMU_ATOMIC

template <class T>
inline T atomicCAS(T* address, emu::Operand<T> expected, emu::Operand<T> desired, EMU_SITE) {
    return emu::atomic_update(address, [=](T old) -> T { return old == expected ? desired : old; }, {file, line});
}
