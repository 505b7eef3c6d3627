// Kernels without mistakes: they must be right in every order and pass every sanitizer without a report.

constexpr int threads = 256;

template <class T>
__device__ T warp_sum(T value) {
    for (int offset = warpSize / 2; offset > 0; offset /= 2) value += __shfl_down_sync(0xffffffffu, value, offset);
    return value;
}

// The sum over the block, valid in thread 0.
template <class T>
__device__ T block_sum(T value) {
    __shared__ T partial[threads / 32];
    value = warp_sum(value);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    if (threadIdx.x < 32) {
        value = threadIdx.x < threads / 32 ? partial[threadIdx.x] : T(0);
        value = warp_sum(value);
    }
    return value;
}

extern "C" __global__ void scale_f32(float* __restrict__ x, float factor, long long count) {
    long long stride = static_cast<long long>(gridDim.x) * blockDim.x;
    for (long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x; i < count; i += stride)
        x[i] *= factor;
}

#define SUM(SUFFIX, TYPE)                                                                                              \
    extern "C" __global__ void __launch_bounds__(threads) sum_##SUFFIX(const TYPE* x, long long count, TYPE* total) {  \
        TYPE value = 0;                                                                                                \
        long long stride = static_cast<long long>(gridDim.x) * blockDim.x;                                             \
        for (long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x; i < count; i += stride)      \
            value += x[i];                                                                                             \
        value = block_sum(value);                                                                                      \
        if (threadIdx.x == 0) atomicAdd(total, value);                                                                 \
    }

SUM(f32, float)
SUM(f64, double)

// Reverses each block's part through dynamic shared memory.
extern "C" __global__ void reverse_f32(const float* x, float* out) {
    extern __shared__ __align__(16) float staged[];
    int i = threadIdx.x;
    staged[i] = x[blockIdx.x * blockDim.x + i];
    __syncthreads();
    out[blockIdx.x * blockDim.x + i] = staged[blockDim.x - 1 - i];
}

struct Large {
    double values[40];
};

// Structures through shared memory, whole: the host compiler copies them with memcpy.
extern "C" __global__ void copy_structures(const Large* x, Large* out) {
    __shared__ Large staged[2];
    __shared__ Large zero;
    if (threadIdx.x < 2) staged[threadIdx.x] = x[threadIdx.x];
    if (threadIdx.x == 2) zero = Large{};
    __syncthreads();
    if (threadIdx.x < 2) out[threadIdx.x] = staged[1 - threadIdx.x];
    if (threadIdx.x == 2) out[2] = zero;
}
