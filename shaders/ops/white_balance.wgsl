// White balance: the channels of linear light scaled.

#include "shared/op.wgsl"
#include "shared/transfer.wgsl"
#include "shared/gains.wgsl"
