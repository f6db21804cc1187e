// All vector functions: v_exp, v_log, v_sin and so on, for Vec<float> and Vec<double>; integer arithmetic for the rest.
#pragma once

#include "math_exp.h"
#include "math_int.h"
#include "math_special.h"
#include "math_trig.h"
