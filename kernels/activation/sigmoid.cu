// Fuses: as relu.cu, for sigmoid, which saves its result.
//
// Bytes an element (b bytes each): forward 2b, backward 3b. Roof: memory; an exp and a division an element.
#include "activation/activation.cuh"

#define MAKE(SUFFIX, T, A) ACTIVATION_KERNELS(sigmoid, Sigmoid, SUFFIX, T, A)
FOR_ALL_DTYPES(MAKE)
