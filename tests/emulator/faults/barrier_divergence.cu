// Barriers that some threads of the block never reach.

extern "C" __global__ void early_exit(float* x, int count) {
    int i = threadIdx.x;
    if (i >= count) return;
    x[i] += 1.0f;
    __syncthreads();   // FAULT exit
    x[i] += x[0];
}

extern "C" __global__ void two_branches(float* x) {
    if (threadIdx.x % 2)
        __syncthreads();   // FAULT branch
    else
        __syncthreads();   // FAULT branch
    x[threadIdx.x] += 1.0f;
}

extern "C" __global__ void half_a_warp(float* x) {
    if (threadIdx.x < 16)
        __syncwarp();      // FAULT deadlock
    else
        __syncthreads();   // FAULT deadlock
    x[threadIdx.x] += 1.0f;
}
