/* Kernels of the signal path, Arm's DSP extension (Cortex-M4, M7, M33). See pn_dsp_kernels.h. */
#include "pn_lanes_dsp.h"

#include "pn_dsp_fft.h"
#include "pn_dsp_path.h"

const pn_dsp_kernels_t pn_dsp_ukernels__dsp[1] = {{.isa = "dsp", PN_DSP_FFT, PN_DSP_PATH}};
