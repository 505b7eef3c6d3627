// Warp collectives with lanes that are not there.

extern "C" __global__ void shuffle_from_exited(const float* x, float* out, int count) {
    int i = threadIdx.x;
    if (i >= count) return;
    out[i] = __shfl_sync(0xffffffffu, x[i], 31);   // FAULT exited
}

extern "C" __global__ void shuffle_from_unnamed(const float* x, float* out) {
    int i = threadIdx.x;
    if (i < 16) out[i] = __shfl_xor_sync(0x0000ffffu, x[i], 16);   // FAULT unnamed
}

extern "C" __global__ void not_in_own_mask(int* out) {
    out[threadIdx.x] = __any_sync(0x0000ffffu, 1);   // FAULT mask
}

extern "C" __global__ void different_collectives(const float* x, float* out) {
    int i = threadIdx.x;
    if (i < 16)
        out[i] = __shfl_sync(0xffffffffu, x[i], 0);   // FAULT mixed
    else
        out[i] = __any_sync(0xffffffffu, 1);   // FAULT mixed
}
