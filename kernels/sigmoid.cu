// Fuses: as relu.cu, for sigmoid, tanh (both save their result) and silu (saves its argument, as gelu.cu).
//
// Bytes an element (b bytes each): forward 2b, backward 3b. Roof: memory; an exp and a division, or a tanh, an element.
#include "activation.cuh"

#define MAKE(SUFFIX, T, A)                             \
    ACTIVATION_KERNELS(sigmoid, Sigmoid, SUFFIX, T, A) \
    ACTIVATION_KERNELS(tanh, Tanh, SUFFIX, T, A)       \
    ACTIVATION_KERNELS(silu, Silu, SUFFIX, T, A)
FOR_ALL_DTYPES(MAKE)
