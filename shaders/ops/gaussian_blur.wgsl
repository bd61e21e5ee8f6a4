// Gaussian blur: weighted sums along rows and columns.

#include "shared/separable.wgsl"
