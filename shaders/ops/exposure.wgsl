// Exposure: linear light scaled.

#include "shared/op.wgsl"
#include "shared/transfer.wgsl"
#include "shared/gains.wgsl"
