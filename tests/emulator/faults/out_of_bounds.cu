// One element too many, in each kind of memory.

extern "C" __global__ void beyond_global(float* x, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= count) x[i] += 1.0f;   // FAULT global
}

extern "C" __global__ void before_global(const float* x, float* out) {
    out[threadIdx.x] = x[static_cast<int>(threadIdx.x) - 1];   // FAULT before
}

extern "C" __global__ void beyond_shared(const float* x, float* out) {
    __shared__ float staged[64];
    staged[threadIdx.x + 1] = x[threadIdx.x];   // FAULT shared
    __syncthreads();
    out[threadIdx.x] = staged[threadIdx.x];
}

// A function that is handed the array does not know how long it is.
__device__ void put(float* array, int index, float value) {
    array[index] = value;   // FAULT pointer
}

extern "C" __global__ void beyond_shared_by_pointer(const float* x, float* out) {
    __shared__ float staged[64];
    put(staged, threadIdx.x + 1, x[threadIdx.x]);
    __syncthreads();
    out[threadIdx.x] = staged[threadIdx.x];
}

extern "C" __global__ void beyond_dynamic(const float* x, float* out) {
    extern __shared__ __align__(16) unsigned char raw[];
    float* staged = reinterpret_cast<float*>(raw);
    staged[threadIdx.x + 1] = x[threadIdx.x];   // FAULT dynamic
    __syncthreads();
    out[threadIdx.x] = staged[threadIdx.x];
}

// Registers and local memory: an index that only the data knows.
extern "C" __global__ void beyond_local(const int* index, float* out) {
    float local[4] = {0, 1, 2, 3};
    local[index[0]] = 4.0f;   // FAULT local
    out[0] = local[index[1]];
}
