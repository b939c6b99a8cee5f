/* Kernels of the signal path, plain C: the definition. See pn_dsp_kernels.h. */
#include "pn_lanes_scalar.h"

#include "pn_dsp_fft.h"
#include "pn_dsp_path.h"

const pn_dsp_kernels_t pn_dsp_ukernels__scalar[1] = {{.isa = "scalar", PN_DSP_FFT, PN_DSP_PATH}};
