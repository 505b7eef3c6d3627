// Blocks that write to one place.

extern "C" __global__ void plain_sum(const float* x, float* total) {
    if (threadIdx.x == 0) *total += x[blockIdx.x];   // FAULT sum
}

// The barrier orders the threads of a block, not the blocks.
extern "C" __global__ void before_a_barrier(const float* x, float* total) {
    if (threadIdx.x == 0) total[0] += x[blockIdx.x];   // FAULT barrier
    __syncthreads();
    total[1 + blockIdx.x * blockDim.x + threadIdx.x] = x[blockIdx.x];
}

// The last block adds up what the others left, but nobody has fenced: the counter may overtake the results.
extern "C" __global__ void no_fence(const float* x, float* partial, float* total, unsigned* done) {
    if (threadIdx.x > 0) return;
    partial[blockIdx.x] = x[blockIdx.x];   // FAULT fence
    if (atomicAdd(done, 1u) < gridDim.x - 1) return;
    for (unsigned i = 0; i < gridDim.x; ++i) *total += partial[i];   // FAULT fence
}
