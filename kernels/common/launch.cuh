// The launchers' tools: dtypes, 16-byte walks over arrays of any alignment and length, warp and block reductions.
// All counts and positions are 64-bit.
#pragma once

#include "common/portable.h"

// The most threads a block is launched with. That two blocks shall fit a multiprocessor leaves 128 registers a thread:
// without that word ptxas spills rather than use more than 32 or 64.
#define THREADS 256
#define BLOCKS 2

#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
#if defined(__CUDACC__)
#define DEVICE __device__ __forceinline__
#else
#define DEVICE inline
#endif

#define WARP 32
#define ALL_LANES 0xffffffffu

// A dtype's suffix in the names of kernels, its storage type T, and (of a float) its arithmetic type A.
#define DTYPE_f32(FLOAT, INTEGER) FLOAT(f32, float, float)
#define DTYPE_f64(FLOAT, INTEGER) FLOAT(f64, double, double)
#define DTYPE_f16(FLOAT, INTEGER) FLOAT(f16, half_t, float)
#define DTYPE_i64(FLOAT, INTEGER) INTEGER(i64, long long)
#define DTYPE_i32(FLOAT, INTEGER) INTEGER(i32, int)
#define DTYPE_i16(FLOAT, INTEGER) INTEGER(i16, short)
#define DTYPE_i8(FLOAT, INTEGER) INTEGER(i8, signed char)
#define DTYPE_u8(FLOAT, INTEGER) INTEGER(u8, unsigned char)
#define DTYPE_none(FLOAT, INTEGER)

// -DTENSORGRAD_DTYPE=f32 compiles the kernels of that dtype, and those without one; none, the latter alone.
#define NO_KERNELS(...)
#ifdef TENSORGRAD_DTYPE
#define DTYPE_NAMED(SUFFIX, ...) DTYPE_##SUFFIX(__VA_ARGS__)
#define DTYPE_IN(MACRO, ...) DTYPE_NAMED(MACRO, __VA_ARGS__)
#define FOR_EACH_DTYPE(FLOAT, INTEGER) DTYPE_IN(TENSORGRAD_DTYPE, FLOAT, INTEGER)
#else
#define FOR_EACH_DTYPE(FLOAT, INTEGER)  \
    DTYPE_f32(FLOAT, INTEGER)           \
    DTYPE_f64(FLOAT, INTEGER)           \
    DTYPE_f16(FLOAT, INTEGER)           \
    DTYPE_i64(FLOAT, INTEGER)           \
    DTYPE_i32(FLOAT, INTEGER)           \
    DTYPE_i16(FLOAT, INTEGER)           \
    DTYPE_i8(FLOAT, INTEGER)            \
    DTYPE_u8(FLOAT, INTEGER)
#endif

// MAKE(suffix, T, A) for all floats; MAKE(suffix, T) for all integers. Signatures name no templates.
#define FOR_ALL_DTYPES(MAKE) FOR_EACH_DTYPE(MAKE, NO_KERNELS)
#define FOR_ALL_INTEGERS(MAKE) FOR_EACH_DTYPE(NO_KERNELS, MAKE)

template <class T>
using ArithmeticOf = typename Arithmetic<T>::type;

DEVICE long long global_thread() { return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; }
DEVICE long long global_threads() { return static_cast<long long>(gridDim.x) * blockDim.x; }

// ---------------------------------------------------------------------- 16 bytes at a time
template <class T>
struct alignas(16) Vector {
    static constexpr int size = 16 / sizeof(T);
    T item[size];
};

template <class T>
DEVICE bool is_aligned(const T* p) {
    return (reinterpret_cast<unsigned long long>(p) & 15u) == 0;
}

template <class T>
DEVICE Vector<T> get_vector(const T* p) {
    return *reinterpret_cast<const Vector<T>*>(p);
}

template <class T>
DEVICE void put_vector(T* p, const Vector<T>& v) {
    *reinterpret_cast<Vector<T>*>(p) = v;
}

// An array's elements up to the first 16-byte boundary (head), whole vectors, and the rest.
template <class T>
struct Split {
    long long head;
    long long vectors;

    DEVICE Split(const T* p, long long count) {
        const int past = static_cast<int>(reinterpret_cast<unsigned long long>(p) & 15u);
        head = past ? (16 - past) / static_cast<int>(sizeof(T)) : 0;
        head = head < count ? head : count;
        vectors = (count - head) / Vector<T>::size;
    }
};

// ---------------------------------------------------------------------- where a walk stands
// A cursor follows the position: seek(i) at the first element of a vector, next() at each further one.
struct PositionCursor {
    long long position = 0;
    DEVICE void seek(long long i) { position = i; }
    DEVICE void next() { ++position; }
};

// Two 32-bit operands divide four times as fast as 64-bit ones.
DEVICE long long modulo(long long x, long long y) {
    if (((x | y) >> 32) == 0) {
        return static_cast<unsigned int>(x) % static_cast<unsigned int>(y);
    }
    return x % y;
}

// The position modulo `columns`; dividing only where the walk does not go on by `step`.
struct ColumnCursor {
    long long position;
    long long columns;
    long long step;
    long long step_columns;
    long long at = 0;

    DEVICE ColumnCursor(long long columns, long long step)
        : position(0), columns(columns), step(step), step_columns(modulo(step, columns)) {}

    DEVICE void seek(long long i) {
        if (i - at == step) {
            position = start + step_columns;
            position -= position >= columns ? columns : 0;
        } else {
            position = modulo(i, columns);
        }
        start = position;
        at = i;
    }
    DEVICE void next() { position = position + 1 == columns ? 0 : position + 1; }

  private:
    long long start = 0;
};

// ---------------------------------------------------------------------- elementwise
HD constexpr int count_bits(unsigned int set) {
    return set == 0 ? 0 : static_cast<int>(set & 1u) + count_bits(set >> 1);
}

template <unsigned int READ, unsigned int WRITE, int N, class T, class Cursor, class Rule>
struct Walk {
    using A = ArithmeticOf<T>;
    static constexpr int S = Vector<T>::size;
    // With few arrays to read a thread asks for its next vectors before it uses these: enough bytes are in flight.
    static constexpr bool AHEAD = count_bits(READ) <= 2;

    T* const (&column)[N];
    Cursor cursor;
    Rule rule;

    DEVICE void one(long long i) {
        A x[N];
#pragma unroll
        for (int c = 0; c < N; ++c) {
            if (READ >> c & 1u) x[c] = load(column[c][i]);
        }
        cursor.seek(i);
        rule(cursor.position, x);
#pragma unroll
        for (int c = 0; c < N; ++c) {
            if (WRITE >> c & 1u) column[c][i] = store<T>(x[c]);
        }
    }

    DEVICE void compute(long long i, Vector<T> (&v)[N]) {
        cursor.seek(i);
#pragma unroll
        for (int k = 0; k < S; ++k) {
            A x[N];
#pragma unroll
            for (int c = 0; c < N; ++c) {
                if (READ >> c & 1u) x[c] = load(v[c].item[k]);
            }
            rule(cursor.position, x);
            cursor.next();
#pragma unroll
            for (int c = 0; c < N; ++c) {
                if (WRITE >> c & 1u) v[c].item[k] = store<T>(x[c]);
            }
        }
    }

    // An array that is out of step with the first one gives its elements one by one; the branch is the same for all
    // threads.
    DEVICE void get(long long i, Vector<T> (&v)[N]) const {
#pragma unroll
        for (int c = 0; c < N; ++c) {
            if (!(READ >> c & 1u)) continue;
            if (c == 0 || is_aligned(column[c] + i)) {
                v[c] = get_vector(column[c] + i);
            } else {
#pragma unroll
                for (int k = 0; k < S; ++k) v[c].item[k] = column[c][i + k];
            }
        }
    }

    DEVICE void put(long long i, const Vector<T> (&v)[N]) const {
#pragma unroll
        for (int c = 0; c < N; ++c) {
            if (!(WRITE >> c & 1u)) continue;
            if (c == 0 || is_aligned(column[c] + i)) {
                put_vector(column[c] + i, v[c]);
            } else {
#pragma unroll
                for (int k = 0; k < S; ++k) column[c][i + k] = v[c].item[k];
            }
        }
    }

    DEVICE void run(long long count, long long first, long long stride) {
        const Split<T> split(column[0], count);
        Vector<T> next[N];
        if (AHEAD && first < split.vectors) get(split.head + first * S, next);
        // Unrolled, these loops would take registers until they spill.
#pragma unroll 1
        for (long long j = first; j < split.vectors; j += stride) {
            const long long i = split.head + j * S;
            Vector<T> v[N];
            if (AHEAD) {
#pragma unroll
                for (int c = 0; c < N; ++c) v[c] = next[c];
                if (j + stride < split.vectors) get(i + stride * S, next);
            } else {
                get(i, v);
            }
            compute(i, v);
            put(i, v);
        }
        const long long left = count - split.vectors * S;
#pragma unroll 1
        for (long long j = first; j < left; j += stride) one(j < split.head ? j : j + split.vectors * S);
    }
};

// rule(position, x) on the elements x[c] of all columns, for each position below count. Bit c of READ says that column
// c is read, of WRITE that it is written; columns may be the same array, but may not overlap otherwise. The threads of
// a team share the work: `first` is this thread's number, `stride` how many there are.
template <unsigned int READ, unsigned int WRITE, int N, class T, class Cursor, class Rule>
DEVICE void walk(T* const (&column)[N], long long count, long long first, long long stride, Cursor cursor, Rule rule) {
    Walk<READ, WRITE, N, T, Cursor, Rule>{column, cursor, rule}.run(count, first, stride);
}

template <unsigned int READ, unsigned int WRITE, int N, class T, class Rule>
DEVICE void walk(T* const (&column)[N], long long count, long long first, long long stride, Rule rule) {
    walk<READ, WRITE>(column, count, first, stride, PositionCursor(), rule);
}

// ---------------------------------------------------------------------- reductions
// A reduction's rule R has identity() and merge(a, b), and its state S a shuffle_xor. Every lane gets the result, and
// the order of merging depends on nothing but the number of threads: results are the same in every run.
DEVICE float shuffle_xor(float x, int lanes) { return __shfl_xor_sync(ALL_LANES, x, lanes); }
DEVICE double shuffle_xor(double x, int lanes) { return __shfl_xor_sync(ALL_LANES, x, lanes); }

template <class R, class S>
DEVICE S warp_merge(S state) {
#pragma unroll
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2) state = R::merge(state, shuffle_xor(state, lanes));
    return state;
}

// A team is the threads with equal threadIdx.y: a warp (blockDim.x = 32, any blockDim.y), or a whole block
// (blockDim.x = 64, 96, ... and blockDim.y = 1). `scratch` is shared memory for 32 states, which a warp never touches.
// Memory that the team read before may be overwritten afterwards.
template <class R, class S>
DEVICE S team_merge(S state, S* scratch) {
    state = warp_merge<R>(state);
    if (blockDim.x == WARP) {
        __syncwarp();  // shuffles do not order memory
        return state;
    }
    const int lane = static_cast<int>(threadIdx.x) % WARP;
    __syncthreads();  // an earlier merge may still be reading
    if (lane == 0) scratch[threadIdx.x / WARP] = state;
    __syncthreads();
    state = lane < static_cast<int>(blockDim.x) / WARP ? scratch[lane] : R::identity();
    return warp_merge<R>(state);
}
