/* Kernels of the signal path, AArch64. See pn_dsp_kernels.h. */
#include "pn_lanes_neon.h"

#include "pn_dsp_fft.h"
#include "pn_dsp_path.h"

const pn_dsp_kernels_t pn_dsp_ukernels__neon[1] = {{.isa = "neon", PN_DSP_FFT, PN_DSP_PATH}};
