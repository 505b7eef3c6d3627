// Shared memory starts with anything in it.

extern "C" __global__ void partly_written(const float* x, float* out) {
    __shared__ float staged[64];
    if (threadIdx.x % 2 == 0) staged[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = staged[threadIdx.x];   // FAULT read
}

// Every block must clear its own counter: what the last block left is gone.
extern "C" __global__ void counted_by_the_block_before(int* out) {
    __shared__ int count;
    if (blockIdx.x == 0 && threadIdx.x == 0) count = 0;
    __syncthreads();
    atomicAdd(&count, 1);   // FAULT atomic
    __syncthreads();
    out[blockIdx.x] = count;
}
