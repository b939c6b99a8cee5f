/* Kernels of the signal path, M-profile vector extension. See pn_dsp_kernels.h. */
#include "pn_lanes_mve.h"

#include "pn_dsp_fft.h"
#include "pn_dsp_path.h"

const pn_dsp_kernels_t pn_dsp_ukernels__mve[1] = {{.isa = "mve", PN_DSP_FFT, PN_DSP_PATH}};
