// Two classic omissions. The lines marked FAULT are where a sanitizer may see the race.

// Reads what another thread may not have written yet.
extern "C" __global__ void read_too_early(const float* x, float* out) {
    extern __shared__ float staged[];
    int i = threadIdx.x;
    staged[i] = x[i];                      // FAULT early
    out[i] = staged[blockDim.x - 1 - i];   // FAULT early
}

// Overwrites what another thread may not have read yet.
extern "C" __global__ void overwrite_too_early(const float* x, float* out, int rounds) {
    extern __shared__ float staged[];
    int i = threadIdx.x;
    float sum = 0;
    for (int round = 0; round < rounds; ++round) {
        staged[i] = x[round * blockDim.x + i];   // FAULT overwritten
        __syncthreads();
        sum += staged[blockDim.x - 1 - i];       // FAULT overwritten
    }
    out[i] = sum;
}

// A shuffle moves a value but orders no memory: a __syncwarp() is missing after the store.
extern "C" __global__ void shuffle_is_no_barrier(const float* x, float* out) {
    __shared__ float staged[32];
    int i = threadIdx.x;
    staged[i] = x[i];                                   // FAULT shuffled
    float own = __shfl_sync(0xffffffffu, x[i], i);
    out[i] = own + staged[31 - i];                      // FAULT shuffled
}
