// Every collective once; each thread writes what it got.

constexpr unsigned all = 0xffffffffu;

extern "C" __global__ void shuffles(const int* x, int* out) {
    int i = threadIdx.x, n = blockDim.x;
    out[0 * n + i] = __shfl_sync(all, x[i], 5);
    out[1 * n + i] = __shfl_sync(all, x[i], 2, 8);
    out[2 * n + i] = __shfl_up_sync(all, x[i], 3);
    out[3 * n + i] = __shfl_down_sync(all, x[i], 4, 16);
    out[4 * n + i] = __shfl_xor_sync(all, x[i], 7);
}

extern "C" __global__ void shuffle_types(const double* x, double* out) {
    int i = threadIdx.x, n = blockDim.x;
    out[0 * n + i] = __shfl_xor_sync(all, x[i], 1);
    out[1 * n + i] = __shfl_xor_sync(all, static_cast<float>(x[i]), 1);
    out[2 * n + i] = static_cast<double>(__shfl_xor_sync(all, static_cast<unsigned long long>(x[i]), 1));
}

extern "C" __global__ void votes(const int* x, unsigned* out) {
    int i = threadIdx.x, n = blockDim.x;
    out[0 * n + i] = __ballot_sync(all, x[i]);
    out[1 * n + i] = __any_sync(all, x[i]);
    out[2 * n + i] = __all_sync(all, x[i]);
    out[3 * n + i] = __activemask();
}

// The two halves of a warp at once, each on its own mask, and a different number of times.
extern "C" __global__ void halves(const int* x, int* out) {
    int i = threadIdx.x;
    unsigned mask = i % 32 < 16 ? 0x0000ffffu : 0xffff0000u;
    int rounds = i % 32 < 16 ? 1 : 3, value = x[i];
    for (int round = 0; round < rounds; ++round) value += __shfl_xor_sync(mask, value, 1);
    out[i] = value;
}

// Lanes that have exited need not be waited for.
extern "C" __global__ void after_exit(const int* x, int* out) {
    int i = threadIdx.x;
    if (i % 32 >= 20) return;
    out[i] = __popc(__ballot_sync(all, 1)) + __shfl_sync(all, x[i], 3);
}

extern "C" __global__ void block_votes(const int* x, int* out) {
    int i = threadIdx.x, n = blockDim.x;
    out[0 * n + i] = __syncthreads_count(x[i]);
    out[1 * n + i] = __syncthreads_and(x[i]);
    out[2 * n + i] = __syncthreads_or(x[i]);
}

// Warps pass values through memory with a warp barrier only.
extern "C" __global__ void through_memory(const int* x, int* out) {
    extern __shared__ int staged[];
    int i = threadIdx.x;
    for (int step = 1; step < 32; step *= 2) {
        staged[i] = step == 1 ? x[i] : staged[i];
        __syncwarp();
        int other = staged[i ^ step];
        __syncwarp();
        staged[i] += other;
        __syncwarp();
    }
    out[i] = staged[i];
}

extern "C" __global__ void places(int* out) {
    int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    out[block * blockDim.x * blockDim.y * blockDim.z + thread] =
        ((threadIdx.x * 10 + threadIdx.y) * 10 + threadIdx.z) * 1000 + (blockIdx.x * 10 + blockIdx.y) * 10 + blockIdx.z;
}
