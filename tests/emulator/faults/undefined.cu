// Arithmetic without a meaning, and pointers to nothing.

extern "C" __global__ void overflow(int* x) {
    x[threadIdx.x] = x[threadIdx.x] + 2147483647;   // FAULT overflow
}

extern "C" __global__ void shift_too_far(int* x) {
    x[threadIdx.x] = 1 << x[threadIdx.x];   // FAULT shift
}

extern "C" __global__ void null_pointer(float* x) {
    x[threadIdx.x] = 1.0f;   // FAULT null
}

extern "C" __global__ void failed_assertion(const int* x) {
    assert(x[threadIdx.x] > 0);   // FAULT assert
}
