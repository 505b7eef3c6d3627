// Vector accesses that do not lie on a multiple of their size.

extern "C" __global__ void misaligned_load(const float* x, float* out) {
    float4 four = *reinterpret_cast<const float4*>(x + 1);   // FAULT load
    out[threadIdx.x] = four.x + four.y + four.z + four.w;
}

extern "C" __global__ void misaligned_store(double* out) {
    *reinterpret_cast<double2*>(out + 1) = make_double2(1.0, 2.0);   // FAULT store
}

// A float array need not lie on a 16-byte boundary.
extern "C" __global__ void misaligned_shared(float* out) {
    __shared__ float staged[8];
    staged[threadIdx.x] = 1.0f;
    __syncthreads();
    float4 four = *reinterpret_cast<const float4*>(staged);   // FAULT vector
    out[threadIdx.x] = four.x;
}
