// Fuses: the bias of a linear layer with relu or leaky_relu, in place (relu, leaky_relu); the activation's gradient
// (relu_backward, ...); and that with the bias's gradient (relu_backward_bias, ..., then column_finish of
// column_sums.cu).
//
// Bytes an element (b bytes each): forward 2b, where bias-add and relu apart move 4b; backward 3b, with or without the
// bias gradient, where a mask, a product and a sum move 6b. Roof: memory. At 3.3 TB/s 2b is 0.41e12 float32 a second;
// the arithmetic is about 2 operations an element.
#include "activation/activation.cuh"

#define MAKE(SUFFIX, T, A)                       \
    ACTIVATION_KERNELS(relu, Relu, SUFFIX, T, A) \
    ACTIVATION_KERNELS(leaky_relu, LeakyRelu, SUFFIX, T, A)
FOR_ALL_DTYPES(MAKE)
