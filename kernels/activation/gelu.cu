// Fuses: as relu.cu, for gelu (by erf) and gelu_tanh. The backward kernels take the layer's product without its bias
// and add the bias again, so that x + bias is never written.
//
// Bytes an element (b bytes each): forward 2b (compositions: 8b to 14b), backward 3b (compositions: 20b and more).
// Roof: memory; erf or tanh and exp cost 30 to 60 operations an element, which a float32 GPU does in the time of the
// bytes; float64 on a card with few float64 units is bound by them.
#include "activation/activation.cuh"

#define MAKE(SUFFIX, T, A)                       \
    ACTIVATION_KERNELS(gelu, Gelu, SUFFIX, T, A) \
    ACTIVATION_KERNELS(gelu_tanh, GeluTanh, SUFFIX, T, A)
FOR_ALL_DTYPES(MAKE)
