// Atomics on every type, from every thread of every block at one place.

extern "C" __global__ void adds(float* f, double* d, int* i, unsigned* u, unsigned long long* l) {
    atomicAdd(f, 1.0f);
    atomicAdd(d, 0.5);
    atomicAdd(i, -2);
    atomicAdd(u, 3);
    atomicAdd(l, 4ull);
}

extern "C" __global__ void extremes(const int* x, int* largest, int* smallest, unsigned* bits) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    atomicMax(largest, x[i]);
    atomicMin(smallest, x[i]);
    atomicOr(bits, 1u << (x[i] & 31));
}

// Whoever comes first leaves its mark; everybody is told who came before.
extern "C" __global__ void first_wins(unsigned long long* winner, int* losers, int* last) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (atomicCAS(winner, 0ull, static_cast<unsigned long long>(i) + 1) != 0) atomicAdd(losers, 1);
    atomicExch(last, i);
}

// A histogram in shared memory, then in global memory.
extern "C" __global__ void histogram(const int* x, int* counts) {
    __shared__ int bins[16];
    if (threadIdx.x < 16) bins[threadIdx.x] = 0;
    __syncthreads();
    atomicAdd(&bins[x[blockIdx.x * blockDim.x + threadIdx.x] & 15], 1);
    __syncthreads();
    if (threadIdx.x < 16) atomicAdd(&counts[threadIdx.x], bins[threadIdx.x]);
}

// The last block to finish adds up what the others left in memory.
extern "C" __global__ void last_block(const float* x, float* partial, float* total, unsigned* done) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = x[blockIdx.x];
        __threadfence();
        last = atomicAdd(done, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (!last || threadIdx.x > 0) return;
    __threadfence();
    for (unsigned i = 0; i < gridDim.x; ++i) *total += partial[i];
}

// Through a table of addresses, as the optimizers do.
extern "C" __global__ void through_table(float* const* arrays, const unsigned long long* same, const long long* sizes) {
    float* mine = arrays[blockIdx.x];
    float* also = reinterpret_cast<float*>(same[blockIdx.x]);
    for (long long i = threadIdx.x; i < sizes[blockIdx.x]; i += blockDim.x) mine[i] = also[i] + 1.0f;
}

extern "C" __global__ void arithmetic(const unsigned* x, unsigned* out) {
    int i = threadIdx.x, n = blockDim.x;
    out[0 * n + i] = __umulhi(x[i], x[n - 1 - i]);
    out[1 * n + i] = __float_as_uint(__uint_as_float(x[i] >> 2));
    out[2 * n + i] = min(x[i], x[n - 1 - i]);
    out[3 * n + i] = __popc(x[i]);
    out[4 * n + i] = __clz(static_cast<int>(x[i]));
    out[5 * n + i] = __brev(x[i]);
    out[6 * n + i] = __funnelshift_l(x[i], x[n - 1 - i], 7);
}

// Sixteen bytes at a time, through a vector type.
extern "C" __global__ void vectors(const float* x, float* out, long long groups) {
    long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
    if (i >= groups) return;
    float4 four = __ldg(reinterpret_cast<const float4*>(x) + i);
    reinterpret_cast<float4*>(out)[i] = make_float4(four.w, four.z, four.y, four.x);
}
