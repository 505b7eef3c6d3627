// CUDA's own 16-bit type.
#include <cuda_fp16.h>

extern "C" __global__ void convert(const float* x, __half* half, float* back, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    half[i] = __float2half(x[i]);
    back[i] = __half2float(half[i]);
}

extern "C" __global__ void pairs(const __half2* x, __half2* out) {
    float2 wide = __half22float2(x[threadIdx.x]);
    out[threadIdx.x] = __floats2half2_rn(wide.y * 2.0f, wide.x * 2.0f);
}
