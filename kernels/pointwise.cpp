// The pointwise kernels; which there are is generated (tools/generate-kernels.mjs).
#include "pointwise.h"

#include "math.h"

using namespace TT_NS;

#include "generated/pointwise.inc"
