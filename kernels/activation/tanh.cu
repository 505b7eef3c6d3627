// Fuses: as relu.cu, for tanh, which saves its result.
//
// Bytes an element (b bytes each): forward 2b, backward 3b. Roof: memory; a tanh an element.
#include "activation/activation.cuh"

#define MAKE(SUFFIX, T, A) ACTIVATION_KERNELS(tanh, Tanh, SUFFIX, T, A)
FOR_ALL_DTYPES(MAKE)
